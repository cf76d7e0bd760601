//! Answers: by plain candle, by the engine, and with everything that serving does for a receipt.

use super::{plain::Plain, SEED};
use attribution_proof::{challenge::LineageModel, receipt::Sampling, Balance, ChannelId, ModelId};
use candle_core::D;
use codec::Encode;
use futures::executor::block_on;
use openledger_runtime::configs::ruleset::FIRST_RULESET;
use openledger_worker::{
    attribution::{gradient_space, trace, TracedModel},
    generate::{EngineLimits, Generated, GenerationEngine, GenerationRequest},
    keys::Key,
    ledger::Ledger,
    model::{Adapter, Llama, LlamaConfig, ModelFolder, TextTokenizer},
    receipt::{issue, Answer, ReceiptTerms},
    store::ContentStore,
};
use std::time::Instant;

/// Number of the base.
pub(crate) const BASE: ModelId = 1;
/// Number of the adapter.
pub(crate) const ADAPTER: ModelId = 2;
/// Tokens of each answer.
pub(crate) const RESPONSE_TOKENS: usize = 192;
/// Bytes of a prompt.
const PROMPT_BYTES: usize = 64;
const CHANNEL: ChannelId = 1;
/// Price of a token in base units.
const PRICE: Balance = 1_000_000;

/// Seconds of an answer with its receipt.
#[derive(Clone, Copy, Default)]
pub(crate) struct Parts {
    pub(crate) generation: f64,
    pub(crate) gradient: f64,
    pub(crate) trace: f64,
    pub(crate) audit: f64,
    pub(crate) receipt: f64,
}

impl Parts {
    pub(crate) fn sum(&self) -> f64 {
        self.generation + self.gradient + self.trace + self.audit + self.receipt
    }
}

pub(crate) struct Answers {
    plain_model: Plain,
    engine: GenerationEngine,
    traced: [TracedModel; 2],
    prompts: Vec<String>,
    key: Key,
    ledger: Ledger,
    store: ContentStore,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
    /// Seconds of the answers of each kind.
    pub(crate) plain: Vec<f64>,
    pub(crate) base: Vec<f64>,
    pub(crate) adapter: Vec<f64>,
    pub(crate) parts: Vec<Parts>,
}

fn seconds<R>(time: &mut f64, work: impl FnOnce() -> R) -> R {
    let begin = Instant::now();
    let result = work();
    *time = begin.elapsed().as_secs_f64();
    result
}

fn sampling() -> Sampling {
    Sampling {
        temperature_milli: 0,
        top_p_millionths: 1_000_000,
        top_k: 0,
        maximum_tokens: RESPONSE_TOKENS as u32,
        seed: 0,
    }
}

impl Answers {
    pub(crate) fn new(
        base: &Llama,
        adapter: &Adapter,
        records: &[Vec<u8>],
        traced: [TracedModel; 2],
    ) -> Self {
        // Without an end token every answer has the same length.
        let config = LlamaConfig {
            eos_token_id: None,
            ..base.config().clone()
        };
        let model = Llama::from_tensors(config.clone(), base.tensors()).expect("the weights fit");
        let plain_model = Plain::new(&config, &model.tensors()).expect("the weights fit");
        let tokenizer = TextTokenizer::byte_level().expect("it is built in");
        let folder = ModelFolder::new(model, tokenizer).expect("they belong together");
        let engine = GenerationEngine::start(folder, EngineLimits::default())
            .expect("a thread can be started");
        engine
            .load_adapter(ADAPTER.to_string(), adapter.clone())
            .expect("the adapter fits");
        let folder = tempfile::tempdir().expect("there is room for files");
        let prompts = records
            .iter()
            .map(|record| String::from_utf8_lossy(&record[..PROMPT_BYTES]).into_owned())
            .collect();
        Self {
            plain_model,
            engine,
            traced,
            prompts,
            key: Key::from_secret("//Bob").expect("it is a derivation"),
            ledger: Ledger::open(&folder.path().join("ledger")).expect("there is room"),
            store: ContentStore::open(&folder.path().join("audits").to_string_lossy())
                .expect("there is room"),
            runtime: tokio::runtime::Runtime::new().expect("threads can be started"),
            _folder: folder,
            plain: Vec::new(),
            base: Vec::new(),
            adapter: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Tokens of a prompt, with the begin token.
    pub(crate) fn prompt_tokens(&self) -> usize {
        PROMPT_BYTES + 1
    }

    /// One answer of each kind to the same prompt.
    pub(crate) fn round(&mut self) {
        let prompt = self.prompts[self.parts.len() % self.prompts.len()].clone();
        let mut time = 0.0;
        let tokens = seconds(&mut time, || self.plain_answer(&prompt));
        self.plain.push(time);
        assert_eq!(tokens.len(), RESPONSE_TOKENS);
        let generated = seconds(&mut time, || self.answer(&prompt, None));
        self.base.push(time);
        assert_eq!(generated.response_tokens.len(), RESPONSE_TOKENS);
        seconds(&mut time, || self.answer(&prompt, Some(ADAPTER)));
        self.adapter.push(time);
        let parts = self.answer_with_receipt(&prompt);
        self.parts.push(parts);
    }

    fn plain_answer(&self, prompt: &str) -> Vec<u32> {
        let mut input = self
            .engine
            .prompt_tokens(prompt)
            .expect("the prompt fits the context");
        let mut caches = self.plain_model.caches();
        let mut answer = Vec::with_capacity(RESPONSE_TOKENS);
        while answer.len() < RESPONSE_TOKENS {
            let token = self
                .plain_model
                .decode(&input, &mut caches)
                .and_then(|logits| logits.argmax(D::Minus1)?.to_scalar::<u32>())
                .expect("plain candle decodes");
            answer.push(token);
            input = vec![token];
        }
        answer
    }

    fn answer(&self, prompt: &str, adapter: Option<ModelId>) -> Generated {
        let request = GenerationRequest {
            adapter: adapter.map(|adapter| adapter.to_string()),
            prompt: prompt.to_owned(),
            sampling: sampling(),
            stop: Vec::new(),
        };
        let generation = self.engine.submit(request).expect("the engine is free");
        block_on(generation.finish()).expect("the engine answers")
    }

    /// What serving does for an answer by an adapter, from the request to the receipt in the books.
    fn answer_with_receipt(&self, prompt: &str) -> Parts {
        let mut parts = Parts::default();
        let generated = seconds(&mut parts.generation, || self.answer(prompt, Some(ADAPTER)));
        let model = &self.engine.base().model;
        let adapter = self.engine.adapter(&ADAPTER.to_string());
        let adapter = adapter.expect("it is loaded");
        let response = generated.text;
        let gradients = seconds(&mut parts.gradient, || {
            [None, Some(&*adapter)].map(|adapter| {
                gradient_space(model, adapter)
                    .expect("the model has layers")
                    .response_gradient(&generated.prompt_tokens[1..], &generated.response_tokens)
                    .expect("the gradient can be computed")
            })
        });
        let traced = seconds(&mut parts.trace, || {
            let lineage: Vec<_> = self
                .traced
                .iter()
                .zip(&gradients)
                .map(|(traced, gradient)| (traced, gradient.as_slice()))
                .collect();
            trace(&lineage, response.as_bytes(), &FIRST_RULESET.receipt)
                .expect("the answer can be traced")
        });
        let answer = Answer {
            request: prompt.as_bytes().to_vec(),
            response,
            sampling: sampling(),
            prompt_tokens: generated.prompt_tokens,
            response_tokens: generated.response_tokens,
        };
        let audit = seconds(&mut parts.audit, || {
            let bundle = answer.audit(&traced.query).encode();
            let stored = self.runtime.block_on(self.store.put(bundle));
            stored.expect("there is room")
        });
        seconds(&mut parts.receipt, || {
            let lineage = self.traced.each_ref().map(|traced| LineageModel {
                model: traced.model,
                rows: traced.index.len() as u32,
            });
            let terms = ReceiptTerms {
                genesis: SEED,
                channel: CHANNEL,
                ruleset_id: 0,
                ruleset: &FIRST_RULESET,
                model: ADAPTER,
                version: 1,
                price_floor: PRICE,
                lineage: &lineage,
            };
            let price = PRICE * Balance::from(answer.tokens());
            issue(
                &self.ledger,
                &self.key,
                &terms,
                price,
                answer,
                traced,
                audit,
            )
            .expect("the receipt is honest")
        });
        parts
    }
}
