//! Hyper-parameters of a job as they lie in the content store: what is built, and how it is trained.

use crate::{
    model::{AdapterConfig, LlamaConfig, ModelError, Projection, TextTokenizer},
    train::{HyperParameters, TrainError},
};
use attribution_proof::model::ModelKind;
use serde::{Deserialize, Serialize};

/// What is built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// A base model, trained from scratch on bytes.
    Base(LlamaConfig),
    /// An adapter over the job's base.
    Adapter(AdapterConfig),
}

/// The blob that a job names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What is built.
    pub architecture: Architecture,
    /// How it is trained.
    pub training: HyperParameters,
}

/// Why a recipe cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The blob is no recipe.
    #[error("the job's hyper-parameters are no recipe: {0}; `openledger-worker job hyper-parameters` writes one")]
    Format(serde_json::Error),
    /// It builds another kind than the job asks for.
    #[error("the recipe builds {recipe}, but the job asks for {job}")]
    Kind {
        /// What it builds.
        recipe: &'static str,
        /// What the job asks for.
        job: &'static str,
    },
    /// A number of the architecture makes no sense.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A number of the training makes no sense.
    #[error(transparent)]
    Train(#[from] TrainError),
}

impl Recipe {
    /// A byte-level base model.
    pub fn base(hidden_size: usize, layers: usize, context: usize, steps: u32) -> Self {
        let training = HyperParameters {
            sequence_length: context.min(256),
            ..HyperParameters::full(steps)
        };
        let config = LlamaConfig::byte_level(hidden_size, layers, context);
        Self {
            architecture: Architecture::Base(config),
            training,
        }
    }

    /// An adapter of all linear maps.
    pub fn adapter(rank: usize, alpha: f64, steps: u32) -> Self {
        Self {
            architecture: Architecture::Adapter(AdapterConfig::new(rank, alpha)),
            training: HyperParameters::adapter(steps),
        }
    }

    /// The blob.
    pub fn to_json(&self) -> Result<Vec<u8>, RecipeError> {
        serde_json::to_vec_pretty(self).map_err(RecipeError::Format)
    }

    /// Reads a blob for a job of `kind`. `context` is that of the job's base, if it has one.
    pub fn from_json(
        json: &[u8],
        kind: ModelKind,
        base: Option<&LlamaConfig>,
    ) -> Result<Self, RecipeError> {
        let recipe: Self = serde_json::from_slice(json).map_err(RecipeError::Format)?;
        match (&recipe.architecture, kind) {
            (Architecture::Base(_), ModelKind::Base)
            | (Architecture::Adapter(_), ModelKind::Adapter { .. }) => {}
            (Architecture::Base(_), _) => {
                return Err(RecipeError::Kind {
                    recipe: "a base model",
                    job: "an adapter",
                });
            }
            (Architecture::Adapter(_), _) => {
                return Err(RecipeError::Kind {
                    recipe: "an adapter",
                    job: "a base model",
                });
            }
        }
        recipe.validate(base)?;
        Ok(recipe)
    }

    /// Checks every number; those that depend on an adapter's `base` only when it is known.
    pub fn validate(&self, base: Option<&LlamaConfig>) -> Result<(), RecipeError> {
        let context = match &self.architecture {
            Architecture::Base(config) => {
                config.validate()?;
                TextTokenizer::byte_level()?.check(config)?;
                config.max_position_embeddings
            }
            Architecture::Adapter(config) => {
                config.validate()?;
                base.map_or(usize::MAX, |base| base.max_position_embeddings)
            }
        };
        Ok(self.training.validate(context)?)
    }

    /// Roughly the bytes of memory that training needs; saturates. `base` is that of an adapter.
    pub fn memory(&self, base: Option<&LlamaConfig>) -> u64 {
        let (config, trained) = match (&self.architecture, base) {
            (Architecture::Base(config), _) => (config, config.weights()),
            (Architecture::Adapter(adapter), Some(base)) => {
                // Two factors for each of seven maps, none wider than this.
                let width = base.hidden_size.max(base.intermediate_size) as u64;
                let factors = (2 * Projection::ALL.len() * base.num_hidden_layers) as u64;
                let trained = factors
                    .saturating_mul(width)
                    .saturating_mul(adapter.r as u64);
                (base, trained)
            }
            (Architecture::Adapter(_), None) => return 0,
        };
        let floats = |count: u64| count.saturating_mul(size_of::<f32>() as u64);
        let tokens =
            (self.training.batch_size as u64).saturating_mul(self.training.sequence_length as u64);
        // Of each token and layer about a dozen vectors of the residual stream's width and four of the
        // gated layer's; of each token its logits, their exponentials and their gradient.
        let layer =
            (12 * config.hidden_size as u64).saturating_add(4 * config.intermediate_size as u64);
        let activations = layer
            .saturating_mul(config.num_hidden_layers as u64)
            .saturating_add(3 * config.vocab_size as u64);
        floats(config.weights())
            // Gradient and two moments, and the file.
            .saturating_add(floats(trained).saturating_mul(4))
            .saturating_add(floats(activations.saturating_mul(tokens)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAPTER: ModelKind = ModelKind::Adapter { base: 1 };

    #[test]
    fn success_a_recipe_survives_the_store() {
        let config = LlamaConfig::byte_level(64, 2, 128);
        for (recipe, kind) in [
            (Recipe::base(64, 2, 128, 10), ModelKind::Base),
            (
                Recipe {
                    training: HyperParameters {
                        sequence_length: 64,
                        ..HyperParameters::adapter(10)
                    },
                    ..Recipe::adapter(4, 8.0, 10)
                },
                ADAPTER,
            ),
        ] {
            let json = recipe.to_json().unwrap();
            assert_eq!(
                Recipe::from_json(&json, kind, Some(&config)).unwrap(),
                recipe
            );
        }
    }

    #[test]
    fn fails_when_a_size_would_overflow_or_fill_the_memory() {
        let base = |hidden, layers, context| Recipe::base(hidden, layers, context, 10);
        for recipe in [
            base(1 << 20, 2, 128),
            base(64, 1 << 20, 128),
            base(64, 2, 1 << 30),
            base(1 << 16, 1 << 10, 1 << 18),
            base(0, 2, 128),
            Recipe::base(64, 2, 128, u32::MAX),
            Recipe::adapter(usize::MAX, 1.0, 10),
        ] {
            assert!(recipe.validate(None).is_err(), "{recipe:?}");
        }
        let mut recipe = base(64, 2, 128);
        recipe.training.batch_size = usize::MAX;
        assert!(recipe.validate(None).is_err());
        assert_eq!(recipe.memory(None), u64::MAX);
        let mut other_vocabulary = LlamaConfig::byte_level(64, 2, 128);
        other_vocabulary.vocab_size = 100;
        let recipe = Recipe {
            architecture: Architecture::Base(other_vocabulary),
            ..base(64, 2, 128)
        };
        assert!(recipe.validate(None).is_err());
    }

    #[test]
    fn success_the_memory_is_estimated_from_weights_and_batch() {
        let small = Recipe::base(32, 2, 64, 10).memory(None);
        let large = Recipe::base(1024, 12, 256, 10).memory(None);
        assert!((1 << 20..64 << 20).contains(&small), "{small}");
        assert!((2 << 30..20 << 30).contains(&large), "{large}");
        let config = LlamaConfig::byte_level(1024, 12, 256);
        let adapter = Recipe::adapter(8, 16.0, 10).memory(Some(&config));
        assert!(adapter < large, "{adapter}");
    }

    #[test]
    fn fails_when_it_is_no_recipe_or_one_of_another_kind_or_breaks_bounds() {
        let base = LlamaConfig::byte_level(64, 2, 128);
        let read = |json: &[u8], kind| Recipe::from_json(json, kind, Some(&base)).unwrap_err();
        assert!(matches!(
            read(b"{}", ModelKind::Base),
            RecipeError::Format(_)
        ));
        let full = Recipe::base(64, 2, 128, 10).to_json().unwrap();
        assert!(matches!(read(&full, ADAPTER), RecipeError::Kind { .. }));
        // Its sequences are longer than the base's context.
        let long = Recipe::adapter(4, 8.0, 10).to_json().unwrap();
        assert!(matches!(read(&long, ADAPTER), RecipeError::Train(_)));
        assert!(matches!(
            read(&long, ModelKind::Base),
            RecipeError::Kind { .. }
        ));
    }
}
