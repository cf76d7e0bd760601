//! Low-rank adapters (Hu et al. 2021, arXiv 2106.09685) in PEFT's file format.

use super::{
    error::{ModelError, Result},
    folder::{parse_json, read_file, write_file},
    random::Initializer,
    weights::{finish, read_tensors, take, write_tensors, Tensors},
    LlamaConfig, Projection,
};
use candle_core::{DType, Device, Tensor, Var};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Name of an adapter's configuration.
pub const ADAPTER_CONFIG_FILE: &str = "adapter_config.json";
/// Name of an adapter's weights.
pub const ADAPTER_WEIGHTS_FILE: &str = "adapter_model.safetensors";

/// Highest rank. Low-rank adapters are of 4 to 512.
const MAX_RANK: usize = 1 << 12;

/// The fields of PEFT's `LoraConfig` that define the computation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdapterConfig {
    /// Always `LORA`.
    pub peft_type: String,
    /// Always `CAUSAL_LM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// Name of the base model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_model_name_or_path: Option<String>,
    /// Rank of the update.
    pub r: usize,
    /// Numerator of the update's scale.
    pub lora_alpha: f64,
    /// Dropout of the input in training: only zero, which keeps training deterministic.
    #[serde(default)]
    pub lora_dropout: f64,
    /// Whether the scale is `lora_alpha / sqrt(r)` instead of `lora_alpha / r`.
    #[serde(default)]
    pub use_rslora: bool,
    /// Weight-decomposed updates: unsupported.
    #[serde(default)]
    pub use_dora: bool,
    /// Biases: only `none`.
    #[serde(default = "no_bias")]
    pub bias: String,
    /// Whether weights are stored transposed: unsupported.
    #[serde(default)]
    pub fan_in_fan_out: bool,
    /// Names of the linear maps that are adapted, for example `q_proj`.
    pub target_modules: Vec<String>,
    /// Modules that are trained in full: unsupported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules_to_save: Option<Vec<String>>,
}

fn no_bias() -> String {
    "none".into()
}

impl AdapterConfig {
    /// An adapter of all seven linear maps with scale `alpha / rank`.
    pub fn new(rank: usize, alpha: f64) -> Self {
        Self {
            peft_type: "LORA".into(),
            task_type: Some("CAUSAL_LM".into()),
            base_model_name_or_path: None,
            r: rank,
            lora_alpha: alpha,
            lora_dropout: 0.0,
            use_rslora: false,
            use_dora: false,
            bias: no_bias(),
            fan_in_fan_out: false,
            target_modules: Projection::ALL.map(|p| p.name().to_owned()).to_vec(),
            modules_to_save: None,
        }
    }

    /// Factor of the update `B A`.
    pub fn scale(&self) -> f64 {
        let rank = self.r as f64;
        self.lora_alpha / if self.use_rslora { rank.sqrt() } else { rank }
    }

    /// Adapted linear maps, in [`Projection::ALL`]'s order.
    pub fn targets(&self) -> Result<Vec<Projection>> {
        let mut targets = self
            .target_modules
            .iter()
            .map(|name| {
                Projection::from_name(name).ok_or_else(|| ModelError::Unsupported {
                    field: "target_modules",
                    value: name.clone(),
                    supported: "q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj",
                })
            })
            .collect::<Result<Vec<_>>>()?;
        targets.sort_unstable();
        targets.dedup();
        Ok(targets)
    }

    /// Checks that this decoder computes exactly what the configuration says.
    pub fn validate(&self) -> Result<()> {
        let unsupported = |field, value: &dyn std::fmt::Display, supported| {
            Err(ModelError::Unsupported {
                field,
                value: value.to_string(),
                supported,
            })
        };
        if self.peft_type != "LORA" {
            return unsupported("peft_type", &self.peft_type, "LORA");
        }
        if self.lora_dropout != 0.0 {
            return unsupported("lora_dropout", &self.lora_dropout, "0");
        }
        if self.use_dora {
            return unsupported("use_dora", &true, "false");
        }
        if self.bias != "none" {
            return unsupported("bias", &self.bias, "none");
        }
        if self.fan_in_fan_out {
            return unsupported("fan_in_fan_out", &true, "false");
        }
        if self
            .modules_to_save
            .as_ref()
            .is_some_and(|modules| !modules.is_empty())
        {
            return unsupported("modules_to_save", &"modules", "none");
        }
        if self.r == 0 || self.r > MAX_RANK || self.targets()?.is_empty() {
            return Err(ModelError::Config(format!(
                "the adapter's rank is {} over {} target modules; it must be between 1 and {MAX_RANK}, over at least one",
                self.r,
                self.target_modules.len()
            )));
        }
        if !(self.lora_alpha.is_finite() && self.lora_alpha > 0.0) {
            return Err(ModelError::Config(format!(
                "lora_alpha {} is not a positive number",
                self.lora_alpha
            )));
        }
        Ok(())
    }
}

/// The two factors of one linear map's update.
#[derive(Clone, Debug)]
pub(super) struct Factors {
    /// `A: [rank, in]`.
    pub(super) a: Tensor,
    /// `B: [out, rank]`.
    pub(super) b: Tensor,
}

/// An adapter's weights, ready to be applied to a base.
#[derive(Clone, Debug)]
pub struct Adapter {
    config: AdapterConfig,
    /// Per layer and projection.
    layers: Vec<[Option<Factors>; Projection::ALL.len()]>,
}

impl Adapter {
    /// A fresh adapter: `A` uniform in `±1/sqrt(in)` under the seed, `B` zero, as PEFT does, so that
    /// it changes nothing before it is trained.
    pub fn initialize(
        config: AdapterConfig,
        base: &LlamaConfig,
        seed: [u8; 32],
        device: &Device,
    ) -> Result<Self> {
        let mut initializer = Initializer::new(seed);
        Self::build(config, base, |_, projection, rank| {
            let (out, input) = projection.dimensions(base);
            Ok(Factors {
                a: initializer.uniform((rank, input), 1.0 / (input as f32).sqrt(), device)?,
                b: Tensor::zeros((out, rank), DType::F32, device)?,
            })
        })
    }

    /// An adapter from the tensors of a file, which must be exactly those that the configuration
    /// names, in the base's shapes.
    pub fn from_tensors(
        config: AdapterConfig,
        base: &LlamaConfig,
        mut tensors: Tensors,
    ) -> Result<Self> {
        let adapter = Self::build(config, base, |layer, projection, rank| {
            let (out, input) = projection.dimensions(base);
            let [a, b] = tensor_names(layer, projection);
            Ok(Factors {
                a: take(&mut tensors, &a, (rank, input))?,
                b: take(&mut tensors, &b, (out, rank))?,
            })
        })?;
        finish(tensors)?;
        Ok(adapter)
    }

    fn build(
        config: AdapterConfig,
        base: &LlamaConfig,
        mut factors: impl FnMut(usize, Projection, usize) -> Result<Factors>,
    ) -> Result<Self> {
        config.validate()?;
        let targets = config.targets()?;
        let layers = (0..base.num_hidden_layers)
            .map(|layer| {
                let mut maps = [const { None }; Projection::ALL.len()];
                for &projection in &targets {
                    maps[projection.index()] = Some(factors(layer, projection, config.r)?);
                }
                Ok(maps)
            })
            .collect::<Result<_>>()?;
        Ok(Self { config, layers })
    }

    /// Reads an adapter's two files.
    pub fn from_bytes(
        config: &[u8],
        weights: &[u8],
        base: &LlamaConfig,
        device: &Device,
    ) -> Result<Self> {
        let config = parse_json(config, Path::new(ADAPTER_CONFIG_FILE))?;
        let tensors = read_tensors(weights, Path::new(ADAPTER_WEIGHTS_FILE), device)?;
        Self::from_tensors(config, base, tensors)
    }

    /// Reads an adapter's folder.
    pub fn load(folder: &Path, base: &LlamaConfig, device: &Device) -> Result<Self> {
        let config = parse_json(
            &read_file(&folder.join(ADAPTER_CONFIG_FILE))?,
            &folder.join(ADAPTER_CONFIG_FILE),
        )?;
        let path = folder.join(ADAPTER_WEIGHTS_FILE);
        let tensors = read_tensors(&read_file(&path)?, &path, device)?;
        Self::from_tensors(config, base, tensors)
    }

    /// Writes an adapter's folder.
    pub fn save(&self, folder: &Path) -> Result<()> {
        write_file(
            &folder.join(ADAPTER_CONFIG_FILE),
            self.config_json()?.as_bytes(),
        )?;
        write_file(
            &folder.join(ADAPTER_WEIGHTS_FILE),
            &write_tensors(&self.tensors())?,
        )
    }

    /// Content of `adapter_config.json`.
    pub fn config_json(&self) -> Result<String> {
        serde_json::to_string_pretty(&self.config)
            .map_err(|error| ModelError::Config(error.to_string()))
    }

    /// The configuration.
    pub fn config(&self) -> &AdapterConfig {
        &self.config
    }

    /// All weights by PEFT's names.
    pub fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        for (layer, maps) in self.layers.iter().enumerate() {
            for projection in Projection::ALL {
                if let Some(factors) = &maps[projection.index()] {
                    let [a, b] = tensor_names(layer, projection);
                    tensors.insert(a, factors.a.clone());
                    tensors.insert(b, factors.b.clone());
                }
            }
        }
        tensors
    }

    /// The same adapter with weights that collect gradients.
    pub fn into_trainable(mut self) -> Result<Self> {
        for factors in self.layers.iter_mut().flatten().flatten() {
            factors.a = Var::from_tensor(&factors.a)?.into_inner();
            factors.b = Var::from_tensor(&factors.b)?.into_inner();
        }
        Ok(self)
    }

    /// Refuses an adapter that was built for other dimensions.
    pub fn check_base(&self, base: &LlamaConfig) -> Result<()> {
        if self.layers.len() != base.num_hidden_layers {
            return Err(ModelError::WrongBase(format!(
                "it has {} layers, the base {}",
                self.layers.len(),
                base.num_hidden_layers
            )));
        }
        for projection in Projection::ALL {
            let Some(factors) = self.factors(0, projection) else {
                continue;
            };
            let found = (factors.b.dim(0)?, factors.a.dim(1)?);
            let expected = projection.dimensions(base);
            if found != expected {
                return Err(ModelError::WrongBase(format!(
                    "{} maps {} to {} features, the base's {} to {}",
                    projection.name(),
                    found.1,
                    found.0,
                    expected.1,
                    expected.0
                )));
            }
        }
        Ok(())
    }

    /// `A`, `B` and the scale of a linear map's update.
    pub(crate) fn update(
        &self,
        layer: usize,
        projection: Projection,
    ) -> Option<(&Tensor, &Tensor, f64)> {
        let factors = self.factors(layer, projection)?;
        Some((&factors.a, &factors.b, self.config.scale()))
    }

    pub(super) fn factors(&self, layer: usize, projection: Projection) -> Option<&Factors> {
        self.layers.get(layer)?[projection.index()].as_ref()
    }
}

/// PEFT's names of `A` and `B`.
pub(crate) fn tensor_names(layer: usize, projection: Projection) -> [String; 2] {
    let path = projection.path(layer);
    ["A", "B"].map(|factor| format!("base_model.model.{path}.lora_{factor}.weight"))
}
