use super::{text::TextStream, *};
use crate::model::{
    tests::{tiny_adapter, tiny_model},
    KeyValueCache, ModelError, ModelFolder, TextTokenizer,
};
use attribution_proof::receipt::Sampling;
use candle_core::Device;

fn sampling(temperature_milli: u32, seed: u64) -> Sampling {
    Sampling {
        temperature_milli,
        top_p_millionths: 1_000_000,
        top_k: 0,
        maximum_tokens: 12,
        seed,
    }
}

mod samplers {
    use super::*;

    const LOGITS: [f32; 5] = [1.0, 3.0, 2.0, 3.0, -1.0];

    fn draws(sampling: Sampling, count: usize) -> Vec<u32> {
        let mut sampler = Sampler::new(&sampling).unwrap();
        (0..count)
            .map(|_| sampler.sample(&LOGITS).unwrap())
            .collect()
    }

    #[test]
    fn temperature_zero_takes_the_first_largest() {
        assert_eq!(draws(sampling(0, 1), 3), [1, 1, 1]);
    }

    #[test]
    fn the_seed_fixes_the_draws() {
        assert_eq!(draws(sampling(1000, 1), 50), draws(sampling(1000, 1), 50));
        assert_ne!(draws(sampling(1000, 1), 50), draws(sampling(1000, 2), 50));
    }

    #[test]
    fn frequencies_follow_the_softmax() {
        let count = 20_000;
        let draws = draws(sampling(2000, 3), count);
        let masses = LOGITS.map(|logit| f64::from(logit / 2.0).exp());
        let total: f64 = masses.iter().sum();
        for (token, mass) in (0..).zip(masses) {
            let frequency =
                draws.iter().filter(|&&draw| draw == token).count() as f64 / count as f64;
            assert!(
                (frequency - mass / total).abs() < 0.015,
                "token {token}: {frequency}"
            );
        }
    }

    #[test]
    fn top_k_and_top_p_cut_the_tail() {
        let kept = |sampling| {
            let tokens: std::collections::BTreeSet<u32> =
                draws(sampling, 500).into_iter().collect();
            tokens.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(
            kept(Sampling {
                top_k: 1,
                ..sampling(1000, 1)
            }),
            [1]
        );
        assert_eq!(
            kept(Sampling {
                top_k: 3,
                ..sampling(1000, 1)
            }),
            [1, 2, 3]
        );
        // The two largest have 0.40 each.
        assert_eq!(
            kept(Sampling {
                top_p_millionths: 300_000,
                ..sampling(1000, 1)
            }),
            [1]
        );
        assert_eq!(
            kept(Sampling {
                top_p_millionths: 700_000,
                ..sampling(1000, 1)
            }),
            [1, 3]
        );
    }

    #[test]
    fn fails_when_parameters_or_logits_make_no_sense() {
        for wrong in [
            Sampling {
                top_p_millionths: 0,
                ..sampling(1000, 1)
            },
            Sampling {
                top_p_millionths: 1_000_001,
                ..sampling(1000, 1)
            },
            Sampling {
                maximum_tokens: 0,
                ..sampling(1000, 1)
            },
        ] {
            assert!(matches!(
                Sampler::new(&wrong),
                Err(GenerateError::Sampling { .. })
            ));
        }
        let mut sampler = Sampler::new(&sampling(0, 1)).unwrap();
        assert!(sampler.sample(&[0.0, f32::NAN]).is_err());
        assert!(sampler.sample(&[]).is_err());
    }
}

mod texts {
    use super::*;

    /// The pieces of a text whose tokens come one by one.
    fn pieces(bytes: &[u8], stop: &[&str]) -> (Vec<String>, bool) {
        let tokenizer = TextTokenizer::byte_level().unwrap();
        let stop = stop.iter().map(|stop| stop.to_string()).collect();
        let mut stream = TextStream::new(&tokenizer, stop);
        let mut pieces = Vec::new();
        for &byte in bytes {
            pieces.push(stream.push(u32::from(byte)).unwrap());
            if stream.is_stopped() {
                break;
            }
        }
        pieces.push(stream.finish().unwrap());
        pieces.retain(|piece| !piece.is_empty());
        (pieces, stream.is_stopped())
    }

    #[test]
    fn characters_are_never_cut() {
        let (pieces, _) = pieces("aé世🦀b".as_bytes(), &[]);
        assert_eq!(pieces, ["a", "é", "世", "🦀", "b"]);
    }

    #[test]
    fn bytes_that_are_not_text_are_replaced() {
        let (pieces, _) = pieces(b"a\xff\xe4\xb8b\xc3", &[]);
        assert_eq!(pieces.concat(), "a\u{fffd}\u{fffd}b\u{fffd}");
    }

    #[test]
    fn text_ends_before_the_first_stop_sequence() {
        let (text, stopped) = pieces(b"one\n\ntwo", &["two", "\n\n"]);
        assert_eq!((text.concat().as_str(), stopped), ("one", true));
        let (text, stopped) = pieces(b"one\ntwo", &["\n\n", ""]);
        assert_eq!((text.concat().as_str(), stopped), ("one\ntwo", false));
        let (text, stopped) = pieces(b"one\n", &["\n\n"]);
        assert_eq!((text.concat().as_str(), stopped), ("one\n", false));
    }

    #[test]
    fn possible_beginnings_of_a_stop_sequence_wait() {
        let (pieces, _) = pieces(b"a</b</s>c", &["</s>"]);
        assert_eq!(pieces, ["a", "</b"]);
    }
}

mod engines {
    use super::*;

    fn engine(limits: EngineLimits) -> GenerationEngine {
        let folder = ModelFolder::new(tiny_model(1), TextTokenizer::byte_level().unwrap()).unwrap();
        let engine = GenerationEngine::start(folder, limits).unwrap();
        engine.load_adapter("first", tiny_adapter(2)).unwrap();
        engine.load_adapter("second", tiny_adapter(9)).unwrap();
        engine
    }

    fn request(adapter: Option<&str>, sampling: Sampling) -> GenerationRequest {
        GenerationRequest {
            adapter: adapter.map(str::to_owned),
            prompt: "fn main".into(),
            sampling,
            stop: Vec::new(),
        }
    }

    /// The same answer by hand: full passes, no cache, no queue.
    fn expected(adapter: Option<u8>, sampling: &Sampling) -> Vec<u32> {
        let (model, adapter) = (tiny_model(1), adapter.map(tiny_adapter));
        let mut sampler = Sampler::new(sampling).unwrap();
        let mut tokens: Vec<u32> = [256]
            .into_iter()
            .chain("fn main".bytes().map(u32::from))
            .collect();
        let prompt = tokens.len();
        while tokens.len() < prompt + sampling.maximum_tokens as usize {
            // Through a cache, so that the rounding is the engine's.
            let mut cache = KeyValueCache::new(model.config(), &Device::Cpu).unwrap();
            let (prefill, rest) = tokens.split_at(prompt);
            let mut logits = model.decode(prefill, &mut cache, adapter.as_ref()).unwrap();
            for token in rest {
                logits = model
                    .decode(&[*token], &mut cache, adapter.as_ref())
                    .unwrap();
            }
            let token = sampler.sample(&logits.to_vec1::<f32>().unwrap()).unwrap();
            if token == 257 {
                break;
            }
            tokens.push(token);
        }
        tokens.split_off(prompt)
    }

    #[tokio::test]
    async fn answers_follow_from_parameters_and_seed_whoever_else_is_served() {
        let engine = engine(EngineLimits::default());
        let cases: Vec<(Option<&str>, Option<u8>, Sampling)> = (0..9u64)
            .map(|i| {
                let (name, seed) = [
                    (None, None),
                    (Some("first"), Some(2)),
                    (Some("second"), Some(9)),
                ][i as usize % 3];
                (name, seed, sampling(500 * (i as u32 % 2), i))
            })
            .collect();
        let running: Vec<Generation> = cases
            .iter()
            .map(|(name, _, sampling)| engine.submit(request(*name, *sampling)).unwrap())
            .collect();
        let mut answers = std::collections::BTreeSet::new();
        for (generation, (_, adapter, sampling)) in running.into_iter().zip(&cases) {
            let generated = generation.finish().await.unwrap();
            assert_eq!(generated.response_tokens, expected(*adapter, sampling));
            assert_eq!(generated.prompt_tokens.len(), 8);
            answers.insert(generated.response_tokens);
        }
        assert!(answers.len() > 3, "adapters and seeds make a difference");
    }

    #[tokio::test]
    async fn pieces_add_up_to_the_text() {
        let engine = engine(EngineLimits::default());
        let mut generation = engine.submit(request(None, sampling(1500, 4))).unwrap();
        let mut text = String::new();
        let mut finished = None;
        while let Some(event) = generation.next().await {
            match event.unwrap() {
                GenerationEvent::Text(piece) => {
                    assert!(finished.is_none() && !piece.is_empty());
                    text.push_str(&piece);
                }
                GenerationEvent::Finished(generated) => finished = Some(generated),
            }
        }
        let generated = finished.unwrap();
        assert_eq!(generated.text, text);
        assert!(generated.response_tokens.len() <= 12);
    }

    #[tokio::test]
    async fn an_answer_ends_with_the_context() {
        let engine = engine(EngineLimits::default());
        let request = request(
            None,
            Sampling {
                maximum_tokens: 1000,
                ..sampling(1000, 1)
            },
        );
        let generated = engine.submit(request).unwrap().finish().await.unwrap();
        if generated.reason == FinishReason::Length {
            // The context of 32 holds all inputs; the last token is only an output.
            assert_eq!(
                generated.prompt_tokens.len() + generated.response_tokens.len(),
                33
            );
        } else {
            assert!(generated.response_tokens.len() < 25);
        }
    }

    #[tokio::test]
    async fn dropping_an_answer_cancels_it() {
        let engine = engine(EngineLimits {
            queue: 4,
            active: 1,
        });
        let long = Sampling {
            maximum_tokens: 1000,
            ..sampling(1000, 1)
        };
        drop(engine.submit(request(None, long)).unwrap());
        let after = engine.submit(request(None, sampling(0, 1))).unwrap();
        after.finish().await.unwrap();
    }

    #[tokio::test]
    async fn fails_when_a_request_cannot_be_served() {
        let engine = engine(EngineLimits::default());
        let unknown = engine
            .submit(request(Some("third"), sampling(0, 1)))
            .unwrap_err();
        assert!(
            matches!(unknown, GenerateError::UnknownAdapter { .. }),
            "{unknown}"
        );
        let long = GenerationRequest {
            prompt: "x".repeat(32),
            ..request(None, sampling(0, 1))
        };
        let error = engine.submit(long).unwrap_err();
        assert!(
            matches!(
                error,
                GenerateError::Model(ModelError::ContextLength {
                    found: 33,
                    limit: 32
                })
            ),
            "{error}"
        );
        let sampling = Sampling {
            top_p_millionths: 0,
            ..sampling(0, 1)
        };
        assert!(engine.submit(request(None, sampling)).is_err());
    }

    #[tokio::test]
    async fn fails_when_the_queue_is_full() {
        let engine = engine(EngineLimits {
            queue: 1,
            active: 1,
        });
        let mut busy = None;
        let mut running = Vec::new();
        // The thread takes requests out as they come; it cannot outrun all of these.
        for _ in 0..10_000 {
            match engine.submit(request(None, sampling(0, 1))) {
                Ok(generation) => running.push(generation),
                Err(error) => {
                    busy = Some(error);
                    break;
                }
            }
        }
        assert!(
            matches!(busy, Some(GenerateError::Busy { waiting: 1 })),
            "{busy:?}"
        );
        for generation in running {
            generation.finish().await.unwrap();
        }
    }

    #[tokio::test]
    async fn adapters_come_and_go() {
        let engine = engine(EngineLimits::default());
        assert_eq!(engine.adapters(), ["first", "second"]);
        assert!(engine.unload_adapter("first"));
        assert!(!engine.unload_adapter("first"));
        assert!(engine.adapter("first").is_none() && engine.adapter("second").is_some());
        let wrong = crate::model::Adapter::initialize(
            crate::model::AdapterConfig::new(2, 4.0),
            &crate::model::LlamaConfig::byte_level(64, 3, 32),
            [1; 32],
            &Device::Cpu,
        )
        .unwrap();
        assert!(engine.load_adapter("wrong", wrong).is_err());
    }

    #[tokio::test]
    async fn dropping_the_engine_breaks_answers_off() {
        let engine = engine(EngineLimits {
            queue: 4,
            active: 1,
        });
        let long = Sampling {
            maximum_tokens: 1000,
            ..sampling(1000, 1)
        };
        let running: Vec<Generation> = (0..3)
            .map(|_| engine.submit(request(None, long)).unwrap())
            .collect();
        drop(engine);
        for generation in running {
            // Finished before the drop, or told that the engine has stopped.
            if let Err(error) = generation.finish().await {
                assert!(matches!(error, GenerateError::Stopped), "{error}");
            }
        }
    }
}
