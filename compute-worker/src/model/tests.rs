use super::*;
use candle_core::{DType, Device, Tensor};
use std::path::Path;

/// Two layers, grouped heads, untied output layer: every branch of the decoder at little cost.
pub(crate) fn tiny_config() -> LlamaConfig {
    LlamaConfig {
        vocab_size: 258,
        intermediate_size: 24,
        num_attention_heads: 4,
        num_key_value_heads: Some(2),
        tie_word_embeddings: false,
        ..LlamaConfig::byte_level(16, 2, 32)
    }
}

/// Weights of a size at which every part of the model matters.
pub(crate) fn tiny_model(seed: u8) -> Llama {
    let model = Llama::initialize(tiny_config(), [seed; 32], &Device::Cpu).unwrap();
    let tensors = model.tensors().into_iter().map(|(name, tensor)| {
        let factor = if tensor.rank() > 1 { 10.0 } else { 1.0 };
        (name, (tensor * factor).unwrap())
    });
    Llama::from_tensors(tiny_config(), tensors.collect()).unwrap()
}

/// A rank-2 adapter whose two factors are both far from zero.
pub(crate) fn tiny_adapter(seed: u8) -> Adapter {
    let config = AdapterConfig::new(2, 4.0);
    let fresh =
        Adapter::initialize(config.clone(), &tiny_config(), [seed; 32], &Device::Cpu).unwrap();
    let mut sign = 1.0f64;
    let tensors = fresh.tensors().into_iter().map(|(name, tensor)| {
        let values: Vec<f32> = (0..tensor.elem_count())
            .map(|i| {
                sign = -sign;
                (sign * 0.2 * (1.0 + (i % 7) as f64 + f64::from(seed)).sin()) as f32
            })
            .collect();
        (
            name,
            Tensor::from_vec(values, tensor.shape(), &Device::Cpu).unwrap(),
        )
    });
    Adapter::from_tensors(config, &tiny_config(), tensors.collect()).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_close(left: &[f32], right: &[f32], tolerance: f32) {
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(right) {
        assert!((left - right).abs() <= tolerance, "{left} and {right}");
    }
}

const TOKENS: [u32; 12] = [256, 72, 101, 108, 108, 111, 44, 32, 119, 111, 114, 108];

/// Mean loss of two sequences of five targets each.
fn loss(model: &Llama, adapter: Option<&Adapter>) -> Tensor {
    let inputs: Vec<u32> = [&TOKENS[..5], &TOKENS[6..11]].concat();
    let targets: Vec<u32> = [&TOKENS[1..6], &TOKENS[7..12]].concat();
    let logits = model.forward(&inputs, &[5, 5], adapter).unwrap();
    negative_log_likelihood(&logits, &targets.into())
        .unwrap()
        .mean_all()
        .unwrap()
}

mod tokenizer {
    use super::*;

    #[test]
    fn byte_level_round_trips_through_its_file() {
        let tokenizer = TextTokenizer::byte_level().unwrap();
        let tokenizer = TextTokenizer::from_bytes(tokenizer.to_json().unwrap().as_bytes()).unwrap();
        let text = "fn main() {\n\tprintln!(\"Grüße, 世界 🦀\");\n} \u{0}\u{7f}  two  spaces";
        let tokens = tokenizer.encode(text).unwrap();
        let bytes: Vec<u32> = text.bytes().map(u32::from).collect();
        assert_eq!(tokens, bytes);
        assert_eq!(tokenizer.decode(&tokens).unwrap(), text);
        assert_eq!(tokenizer.vocabulary_size(), 258);
        assert!(tokenizer.encode("").unwrap().is_empty());
    }

    #[test]
    fn special_tokens_cannot_be_spelt() {
        let tokenizer = TextTokenizer::byte_level().unwrap();
        let text = "<|end_of_text|>";
        assert_eq!(tokenizer.encode(text).unwrap().len(), text.len());
        assert_eq!(
            tokenizer.decode(&[BEGIN_OF_TEXT, 65, END_OF_TEXT]).unwrap(),
            "A"
        );
        assert_eq!(
            tokenizer.inner().token_to_id("<|begin_of_text|>"),
            Some(BEGIN_OF_TEXT)
        );
        assert_eq!(tokenizer.inner().token_to_id(text), Some(END_OF_TEXT));
    }

    #[test]
    fn long_texts_lose_nothing_between_pieces() {
        let tokenizer = TextTokenizer::byte_level().unwrap();
        for text in ["🦀é".repeat(40_000), "a line\n".repeat(30_000)] {
            let bytes: Vec<u32> = text.bytes().map(u32::from).collect();
            assert_eq!(tokenizer.encode(&text).unwrap(), bytes);
        }
    }

    #[test]
    fn the_least_number_of_tokens_is_a_lower_bound() {
        let tokenizer = TextTokenizer::byte_level().unwrap();
        for text in ["", "a", "Grüße, 世界 🦀", &"x".repeat(1000)] {
            assert!(tokenizer.least_tokens(text) <= tokenizer.encode(text).unwrap().len());
        }
        assert_eq!(tokenizer.least_tokens(&"x".repeat(1000)), 250);
    }

    #[test]
    fn fails_when_text_is_not_utf8() {
        let tokenizer = TextTokenizer::byte_level().unwrap();
        let error = tokenizer.encode_bytes(b"ab\xffcd").unwrap_err();
        assert!(
            matches!(error, ModelError::NotUtf8 { offset: 2 }),
            "{error}"
        );
    }

    #[test]
    fn fails_when_vocabularies_differ() {
        let tokenizer = TextTokenizer::byte_level().unwrap();
        tokenizer.check(&tiny_config()).unwrap();
        tokenizer
            .check(&LlamaConfig {
                vocab_size: 320,
                ..tiny_config()
            })
            .unwrap();
        for vocab_size in [257, 32_000] {
            let error = tokenizer
                .check(&LlamaConfig {
                    vocab_size,
                    ..tiny_config()
                })
                .unwrap_err();
            assert!(
                error.to_string().contains("it has 258 tokens, the model"),
                "{error}"
            );
        }
        let config = LlamaConfig {
            eos_token_id: Some(10),
            ..tiny_config()
        };
        let error = tokenizer.check(&config).unwrap_err().to_string();
        assert!(
            error.contains("eos_token_id 10 is not one of its special tokens"),
            "{error}"
        );
    }

    #[test]
    fn fails_when_file_is_not_a_tokenizer() {
        assert!(matches!(
            TextTokenizer::from_bytes(b"{}"),
            Err(ModelError::Tokenizer(_))
        ));
    }
}

mod config {
    use super::*;

    #[test]
    fn reads_a_published_file() {
        let json = r#"{
            "architectures": ["LlamaForCausalLM"], "attention_bias": false, "bos_token_id": 1,
            "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 2048,
            "initializer_range": 0.02, "intermediate_size": 5632,
            "max_position_embeddings": 2048, "model_type": "llama", "num_attention_heads": 32,
            "num_hidden_layers": 22, "num_key_value_heads": 4, "pretraining_tp": 1,
            "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 10000.0,
            "tie_word_embeddings": false, "torch_dtype": "bfloat16", "vocab_size": 32000
        }"#;
        let config: LlamaConfig = serde_json::from_str(json).unwrap();
        config.validate().unwrap();
        assert_eq!((config.head_dim(), config.key_value_heads()), (64, 4));
        let again = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<LlamaConfig>(&again).unwrap(), config);
    }

    #[test]
    fn fails_when_the_computation_would_differ() {
        let wrong = [
            LlamaConfig {
                model_type: "mistral".into(),
                ..tiny_config()
            },
            LlamaConfig {
                hidden_act: "gelu".into(),
                ..tiny_config()
            },
            LlamaConfig {
                attention_bias: true,
                ..tiny_config()
            },
            LlamaConfig {
                mlp_bias: true,
                ..tiny_config()
            },
            LlamaConfig {
                rope_scaling: Some(serde_json::json!({ "factor": 8.0 })),
                ..tiny_config()
            },
        ];
        for config in wrong {
            let error = config.validate().unwrap_err();
            assert!(matches!(error, ModelError::Unsupported { .. }), "{error}");
        }
    }

    #[test]
    fn fails_when_dimensions_contradict() {
        let wrong = [
            LlamaConfig {
                hidden_size: 18,
                ..tiny_config()
            },
            LlamaConfig {
                num_key_value_heads: Some(3),
                ..tiny_config()
            },
            LlamaConfig {
                head_dim: Some(3),
                ..tiny_config()
            },
            LlamaConfig {
                num_hidden_layers: 0,
                ..tiny_config()
            },
            LlamaConfig {
                rms_norm_eps: f64::NAN,
                ..tiny_config()
            },
        ];
        for config in wrong {
            let error = config.validate().unwrap_err();
            assert!(matches!(error, ModelError::Config(_)), "{error}");
        }
    }
}

mod files {
    use super::*;

    fn weights() -> (Tensors, Vec<u8>) {
        let tensors = tiny_model(1).tensors();
        let bytes = write_tensors(&tensors).unwrap();
        (tensors, bytes)
    }

    fn read(bytes: &[u8]) -> std::result::Result<Tensors, ModelError> {
        read_tensors(bytes, Path::new("model.safetensors"), &Device::Cpu)
    }

    #[test]
    fn a_folder_round_trips() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        let model = tiny_model(1);
        let saved = ModelFolder::new(model.clone(), TextTokenizer::byte_level().unwrap()).unwrap();
        saved.save(&path).unwrap();
        let loaded = ModelFolder::load(&path, &Device::Cpu).unwrap();
        assert_eq!(loaded.model.config(), model.config());
        assert_eq!(
            write_tensors(&loaded.model.tensors()).unwrap(),
            write_tensors(&model.tensors()).unwrap()
        );
        let file = |name| std::fs::read(path.join(name)).unwrap();
        ModelFolder::from_bytes(
            &file(CONFIG_FILE),
            &file(WEIGHTS_FILE),
            &file(TOKENIZER_FILE),
            &Device::Cpu,
        )
        .unwrap();
    }

    #[test]
    fn tied_embeddings_store_one_matrix() {
        let config = LlamaConfig {
            tie_word_embeddings: true,
            ..tiny_config()
        };
        let model = Llama::initialize(config, [1; 32], &Device::Cpu).unwrap();
        assert!(!model.tensors().contains_key("lm_head.weight"));
        let untied = Llama::initialize(tiny_config(), [1; 32], &Device::Cpu).unwrap();
        assert_eq!(untied.parameter_count() - model.parameter_count(), 258 * 16);
    }

    #[test]
    fn half_precision_is_widened() {
        let (tensors, _) = weights();
        let half = tensors
            .iter()
            .map(|(name, tensor)| (name.clone(), tensor.to_dtype(DType::BF16).unwrap()))
            .collect::<std::collections::HashMap<_, _>>();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("half.safetensors");
        candle_core::safetensors::save(&half, &path).unwrap();
        let loaded = read(&std::fs::read(&path).unwrap()).unwrap();
        for (name, tensor) in tensors {
            assert_eq!(loaded[&name].dtype(), DType::F32);
            assert_close(&flat(&loaded[&name]), &flat(&tensor), 0.01);
        }
    }

    #[test]
    fn fails_when_truncated() {
        let (_, bytes) = weights();
        for length in [0, 7, 100, bytes.len() - 1] {
            let error = read(&bytes[..length]).unwrap_err();
            assert!(matches!(error, ModelError::Damaged { .. }), "{error}");
        }
    }

    #[test]
    fn fails_when_a_tensor_is_missing() {
        let (mut tensors, _) = weights();
        let name = Projection::Gate.path(1) + ".weight";
        tensors.remove(&name).unwrap();
        let error = Llama::from_tensors(tiny_config(), tensors).unwrap_err();
        assert!(
            matches!(&error, ModelError::MissingTensor { name: n } if *n == name),
            "{error}"
        );
    }

    #[test]
    fn fails_when_a_tensor_is_unexpected() {
        let (mut tensors, _) = weights();
        let extra = Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap();
        tensors.insert("model.layers.2.mlp.up_proj.weight".into(), extra);
        let error = Llama::from_tensors(tiny_config(), tensors).unwrap_err();
        assert!(
            matches!(error, ModelError::UnexpectedTensor { .. }),
            "{error}"
        );
    }

    #[test]
    fn fails_when_a_shape_is_wrong() {
        let (tensors, _) = weights();
        let config = LlamaConfig {
            intermediate_size: 25,
            ..tiny_config()
        };
        let error = Llama::from_tensors(config, tensors).unwrap_err();
        assert!(error
            .to_string()
            .contains("has shape [24, 16], the configuration requires [25, 16]"));
    }

    #[test]
    fn fails_when_values_are_not_floats_or_not_finite() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("integers.safetensors");
        let integers = Tensor::zeros(3, DType::I64, &Device::Cpu).unwrap();
        integers
            .save_safetensors("model.norm.weight", &path)
            .unwrap();
        let error = read(&std::fs::read(&path).unwrap()).unwrap_err();
        assert!(matches!(error, ModelError::WrongType { .. }), "{error}");

        let broken = Tensor::new(&[1f32, f32::NAN], &Device::Cpu).unwrap();
        let bytes = write_tensors(&Tensors::from([("x".into(), broken)])).unwrap();
        assert!(matches!(read(&bytes), Err(ModelError::NotFinite { .. })));
    }

    #[test]
    fn fails_when_a_file_is_absent_or_not_json() {
        let folder = tempfile::tempdir().unwrap();
        let error = ModelFolder::load(folder.path(), &Device::Cpu).unwrap_err();
        assert!(matches!(error, ModelError::File { .. }), "{error}");
        std::fs::write(folder.path().join(CONFIG_FILE), "{").unwrap();
        let error = ModelFolder::load(folder.path(), &Device::Cpu).unwrap_err();
        assert!(matches!(error, ModelError::Json { .. }), "{error}");
    }
}

mod adapters {
    use super::*;

    #[test]
    fn a_fresh_adapter_changes_nothing() {
        let model = tiny_model(1);
        let adapter = Adapter::initialize(
            AdapterConfig::new(2, 4.0),
            model.config(),
            [7; 32],
            &Device::Cpu,
        )
        .unwrap();
        let base = flat(&model.forward(&TOKENS, &[12], None).unwrap());
        let adapted = flat(&model.forward(&TOKENS, &[12], Some(&adapter)).unwrap());
        assert_eq!(base, adapted);
        let mut cache = KeyValueCache::new(model.config(), &Device::Cpu).unwrap();
        let decoded = model.decode(&TOKENS, &mut cache, Some(&adapter)).unwrap();
        assert_close(&flat(&decoded), &base[base.len() - 258..], 1e-5);
    }

    #[test]
    fn a_folder_round_trips_with_peft_names() {
        let folder = tempfile::tempdir().unwrap();
        let adapter = tiny_adapter(3);
        adapter.save(folder.path()).unwrap();
        let loaded = Adapter::load(folder.path(), &tiny_config(), &Device::Cpu).unwrap();
        assert_eq!(loaded.config(), adapter.config());
        let name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
        assert_eq!(
            flat(&loaded.tensors()[name]),
            flat(&adapter.tensors()[name])
        );
        assert_eq!(loaded.tensors().len(), 2 * 2 * Projection::ALL.len());
    }

    #[test]
    fn an_adapter_can_target_some_maps() {
        let config = AdapterConfig {
            target_modules: vec!["v_proj".into(), "q_proj".into()],
            ..AdapterConfig::new(2, 4.0)
        };
        let adapter = Adapter::initialize(config, &tiny_config(), [1; 32], &Device::Cpu).unwrap();
        assert_eq!(adapter.tensors().len(), 2 * 2 * 2);
        tiny_model(1)
            .forward(&TOKENS, &[12], Some(&adapter))
            .unwrap();
    }

    #[test]
    fn fails_when_the_base_is_another() {
        let adapter = tiny_adapter(3);
        for base in [
            LlamaConfig {
                num_hidden_layers: 3,
                ..tiny_config()
            },
            LlamaConfig {
                intermediate_size: 32,
                ..tiny_config()
            },
        ] {
            let error = adapter.check_base(&base).unwrap_err();
            assert!(matches!(error, ModelError::WrongBase(_)), "{error}");
            let tensors = adapter.tensors();
            assert!(Adapter::from_tensors(adapter.config().clone(), &base, tensors).is_err());
        }
    }

    #[test]
    fn fails_when_the_configuration_is_unsupported() {
        let wrong = [
            AdapterConfig {
                peft_type: "IA3".into(),
                ..AdapterConfig::new(2, 4.0)
            },
            AdapterConfig {
                lora_dropout: 0.1,
                ..AdapterConfig::new(2, 4.0)
            },
            AdapterConfig {
                use_dora: true,
                ..AdapterConfig::new(2, 4.0)
            },
            AdapterConfig {
                bias: "all".into(),
                ..AdapterConfig::new(2, 4.0)
            },
            AdapterConfig {
                target_modules: vec!["lm_head".into()],
                ..AdapterConfig::new(2, 4.0)
            },
            AdapterConfig {
                target_modules: Vec::new(),
                ..AdapterConfig::new(2, 4.0)
            },
            AdapterConfig::new(0, 4.0),
            AdapterConfig::new(2, f64::NAN),
        ];
        for config in wrong {
            config.validate().unwrap_err();
        }
        assert_eq!(AdapterConfig::new(4, 8.0).scale(), 2.0);
        let scaled = AdapterConfig {
            use_rslora: true,
            ..AdapterConfig::new(4, 8.0)
        };
        assert_eq!(scaled.scale(), 4.0);
    }
}

mod forward {
    use super::*;

    #[test]
    fn cached_decoding_equals_the_full_pass() {
        let (model, adapter) = (tiny_model(1), tiny_adapter(2));
        for adapter in [None, Some(&adapter)] {
            let full = flat(&model.forward(&TOKENS, &[12], adapter).unwrap());
            let mut cache = KeyValueCache::new(model.config(), &Device::Cpu).unwrap();
            // Prompt, a second stretch, then token by token.
            for (start, end) in [(0, 5), (5, 8), (8, 9), (9, 10), (10, 11), (11, 12)] {
                let logits = model
                    .decode(&TOKENS[start..end], &mut cache, adapter)
                    .unwrap();
                assert_close(&flat(&logits), &full[(end - 1) * 258..end * 258], 1e-4);
            }
            assert_eq!(cache.len(), TOKENS.len());
        }
    }

    #[test]
    fn sequences_of_a_batch_do_not_see_each_other() {
        let model = tiny_model(1);
        let both = flat(&model.forward(&TOKENS, &[5, 7], None).unwrap());
        let second = flat(&model.forward(&TOKENS[5..], &[7], None).unwrap());
        assert_close(&both[5 * 258..], &second, 1e-5);
    }

    #[test]
    fn later_tokens_do_not_matter() {
        let model = tiny_model(1);
        let mut changed = TOKENS;
        changed[11] = 3;
        let left = flat(&model.forward(&TOKENS, &[12], None).unwrap());
        let right = flat(&model.forward(&changed, &[12], None).unwrap());
        assert_eq!(left[..11 * 258], right[..11 * 258]);
        assert_ne!(left[11 * 258..], right[11 * 258..]);
    }

    #[test]
    fn fails_when_tokens_do_not_fit() {
        let model = tiny_model(1);
        let long = [65; 33];
        let error = model.forward(&long, &[33], None).unwrap_err();
        assert!(
            matches!(
                error,
                ModelError::ContextLength {
                    found: 33,
                    limit: 32
                }
            ),
            "{error}"
        );
        let mut cache = KeyValueCache::new(model.config(), &Device::Cpu).unwrap();
        model.decode(&long[..30], &mut cache, None).unwrap();
        let error = model.decode(&long[..3], &mut cache, None).unwrap_err();
        assert!(
            matches!(
                error,
                ModelError::ContextLength {
                    found: 33,
                    limit: 32
                }
            ),
            "{error}"
        );
        assert_eq!(cache.len(), 30);
        assert!(matches!(
            model.forward(&[], &[], None),
            Err(ModelError::Empty)
        ));
        assert!(matches!(
            model.decode(&[], &mut cache, None),
            Err(ModelError::Empty)
        ));
        assert!(model.forward(&TOKENS, &[5, 6], None).is_err());
        assert!(model.forward(&TOKENS, &[12, 0], None).is_err());
        let error = model.forward(&[258], &[1], None).unwrap_err();
        assert!(matches!(error, ModelError::WrongTokenizer(_)), "{error}");
    }

    #[test]
    fn initial_weights_follow_the_seed() {
        let weights = |seed| {
            let model = Llama::initialize(tiny_config(), [seed; 32], &Device::Cpu).unwrap();
            write_tensors(&model.tensors()).unwrap()
        };
        assert_eq!(weights(1), weights(1));
        assert_ne!(weights(1), weights(2));
    }
}

mod gradients {
    use super::*;

    #[test]
    fn every_trained_weight_gets_a_gradient() {
        let model = tiny_model(1).into_trainable().unwrap();
        let grads = loss(&model, None).backward().unwrap();
        for (name, tensor) in model.tensors() {
            let gradient = flat(grads.get(&tensor).unwrap_or_else(|| panic!("{name}: none")));
            assert!(
                gradient.iter().any(|value| *value != 0.0),
                "{name} has a zero gradient"
            );
        }
    }

    #[test]
    fn every_adapter_weight_gets_a_gradient_and_the_base_none() {
        let model = tiny_model(1);
        let adapter = tiny_adapter(2).into_trainable().unwrap();
        let grads = loss(&model, Some(&adapter)).backward().unwrap();
        for (name, tensor) in adapter.tensors() {
            let gradient = flat(grads.get(&tensor).unwrap_or_else(|| panic!("{name}: none")));
            assert!(
                gradient.iter().any(|value| *value != 0.0),
                "{name} has a zero gradient"
            );
        }
        for (name, tensor) in model.tensors() {
            assert!(
                grads.get(&tensor).is_none(),
                "{name} is frozen and has a gradient"
            );
        }
    }

    /// Replaces one tensor of a model.
    fn with_tensor(tensors: &Tensors, name: &str, values: Vec<f32>) -> Tensors {
        let mut tensors = tensors.clone();
        let shape = tensors[name].shape().clone();
        tensors.insert(
            name.into(),
            Tensor::from_vec(values, shape, &Device::Cpu).unwrap(),
        );
        tensors
    }

    /// Compares the gradient of each tensor, along itself, with central differences of the loss.
    fn check(
        tensors: &Tensors,
        gradient: impl Fn(&str) -> Vec<f32>,
        loss: impl Fn(Tensors) -> f64,
    ) {
        for (name, tensor) in tensors {
            let gradient = gradient(name);
            let length: f64 = gradient
                .iter()
                .map(|&g| f64::from(g) * f64::from(g))
                .sum::<f64>()
                .sqrt();
            // The slope along the normalised gradient is the gradient's length.
            let size = 2e-3;
            let moved = |direction: f64| {
                let values = flat(tensor)
                    .iter()
                    .zip(&gradient)
                    .map(|(&w, &g)| {
                        (f64::from(w) + direction * size * f64::from(g) / length) as f32
                    })
                    .collect();
                loss(with_tensor(tensors, name, values))
            };
            let slope = (moved(1.0) - moved(-1.0)) / (2.0 * size);
            assert!(
                (slope - length).abs() <= 0.02 * length + 2e-4,
                "{name}: gradient {length}, differences {slope}"
            );
        }
    }

    fn value(loss: Tensor) -> f64 {
        f64::from(loss.to_scalar::<f32>().unwrap())
    }

    #[test]
    fn full_gradients_match_central_differences() {
        let model = tiny_model(1).into_trainable().unwrap();
        let tensors = model.tensors();
        let grads = loss(&model, None).backward().unwrap();
        check(
            &tensors,
            |name| flat(grads.get(&tensors[name]).unwrap()),
            |tensors| {
                value(loss(
                    &Llama::from_tensors(tiny_config(), tensors).unwrap(),
                    None,
                ))
            },
        );
    }

    #[test]
    fn adapter_gradients_match_central_differences() {
        let model = tiny_model(1);
        let adapter = tiny_adapter(2).into_trainable().unwrap();
        let tensors = adapter.tensors();
        let grads = loss(&model, Some(&adapter)).backward().unwrap();
        check(
            &tensors,
            |name| flat(grads.get(&tensors[name]).unwrap()),
            |tensors| {
                let config = adapter.config().clone();
                let moved = Adapter::from_tensors(config, &tiny_config(), tensors).unwrap();
                value(loss(&model, Some(&moved)))
            },
        );
    }
}
