//! The engine thread and its queue.

use super::{
    error::{GenerateError, Result},
    sampler::Sampler,
    text::TextStream,
};
use crate::model::{Adapter, KeyValueCache, Llama, ModelError, ModelFolder, TextTokenizer};
use attribution_proof::receipt::Sampling;
use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, PoisonError, RwLock,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// How much an engine takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineLimits {
    /// Requests that wait; more are refused.
    pub queue: usize,
    /// Requests that are decoded in turn; each holds a key and value cache.
    pub active: usize,
}

impl Default for EngineLimits {
    fn default() -> Self {
        Self {
            queue: 64,
            active: 8,
        }
    }
}

/// What to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationRequest {
    /// Name of a loaded adapter; the base alone without.
    pub adapter: Option<String>,
    /// The text to continue. Special tokens in it are plain text.
    pub prompt: String,
    /// Sampling parameters and seed, as they will stand in the receipt.
    pub sampling: Sampling,
    /// The answer ends before the first of these.
    pub stop: Vec<String>,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The model ended the text, or a stop sequence was met.
    Stop,
    /// The most tokens asked for, or the model's context, were reached.
    Length,
}

/// A finished answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The answer: all pieces in a row.
    pub text: String,
    /// Tokens of the prompt, with the begin token.
    pub prompt_tokens: Vec<u32>,
    /// Tokens generated, without the end token. With a stop sequence they reach beyond the text.
    pub response_tokens: Vec<u32>,
    /// Why it ended.
    pub reason: FinishReason,
    /// Time for the prompt.
    pub prefill_time: Duration,
    /// Time for the tokens behind the first, as far as it was spent on this request.
    pub decode_time: Duration,
}

/// What a request's receiver gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GenerationEvent {
    /// The next piece of text, never empty, never a broken character.
    Text(String),
    /// The end.
    Finished(Box<Generated>),
}

/// An answer on its way. Dropping it cancels the request.
#[derive(Debug)]
pub struct Generation {
    events: mpsc::UnboundedReceiver<Result<GenerationEvent>>,
}

impl Generation {
    /// The next event; `None` after the end.
    pub async fn next(&mut self) -> Option<Result<GenerationEvent>> {
        self.events.recv().await
    }

    /// Waits for the whole answer.
    pub async fn finish(mut self) -> Result<Generated> {
        while let Some(event) = self.next().await {
            if let GenerationEvent::Finished(generated) = event? {
                return Ok(*generated);
            }
        }
        Err(GenerateError::Stopped)
    }

    /// The events as a stream.
    pub fn into_stream(
        self,
    ) -> tokio_stream::wrappers::UnboundedReceiverStream<Result<GenerationEvent>> {
        self.events.into()
    }
}

/// A request that passed all checks.
struct Job {
    adapter: Option<Arc<Adapter>>,
    prompt: Vec<u32>,
    sampler: Sampler,
    maximum_tokens: usize,
    stop: Vec<String>,
    events: mpsc::UnboundedSender<Result<GenerationEvent>>,
}

/// A base model with its adapters, answering requests on a thread of its own.
///
/// Dropping the engine breaks off the requests that are running.
#[derive(Debug)]
pub struct GenerationEngine {
    base: Arc<ModelFolder>,
    adapters: RwLock<BTreeMap<String, Arc<Adapter>>>,
    /// `None` only while dropping.
    queue: Option<mpsc::Sender<Job>>,
    breaking_off: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl GenerationEngine {
    /// Starts the engine thread.
    pub fn start(base: ModelFolder, limits: EngineLimits) -> Result<Self> {
        let base = Arc::new(base);
        let (queue, jobs) = mpsc::channel(limits.queue.max(1));
        let breaking_off = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new()
            .name("generation".into())
            .spawn({
                let (base, breaking_off) = (base.clone(), breaking_off.clone());
                move || run(&base, jobs, limits.active.max(1), &breaking_off)
            })
            .map_err(|source| {
                GenerateError::Model(ModelError::File {
                    path: "generation thread".into(),
                    source,
                })
            })?;
        Ok(Self {
            base,
            adapters: RwLock::default(),
            queue: Some(queue),
            breaking_off,
            thread: Some(thread),
        })
    }

    /// The base model and its tokenizer.
    pub fn base(&self) -> &ModelFolder {
        &self.base
    }

    /// Loads an adapter under a name, in the place of an earlier one of that name. Requests that
    /// are running keep the one they started with.
    pub fn load_adapter(&self, name: impl Into<String>, adapter: Adapter) -> Result<()> {
        adapter.check_base(self.base.model.config())?;
        let mut adapters = self
            .adapters
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        adapters.insert(name.into(), Arc::new(adapter));
        Ok(())
    }

    /// Unloads an adapter; says whether there was one.
    pub fn unload_adapter(&self, name: &str) -> bool {
        let mut adapters = self
            .adapters
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        adapters.remove(name).is_some()
    }

    /// A loaded adapter.
    pub fn adapter(&self, name: &str) -> Option<Arc<Adapter>> {
        self.adapters
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// Names of the loaded adapters.
    pub fn adapters(&self) -> Vec<String> {
        self.adapters
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .keys()
            .cloned()
            .collect()
    }

    /// Tokens of a prompt as the model sees it, with the begin token; refuses one that leaves no
    /// room for an answer.
    pub fn prompt_tokens(&self, prompt: &str) -> Result<Vec<u32>> {
        let config = self.base.model.config();
        let limit = config.max_position_embeddings;
        let least = self.base.tokenizer.least_tokens(prompt);
        if least > limit {
            return Err(ModelError::ContextLength {
                found: least,
                limit,
            }
            .into());
        }
        let text = self.base.tokenizer.encode(prompt)?;
        let tokens: Vec<u32> = config.bos_token_id.into_iter().chain(text).collect();
        if tokens.is_empty() {
            return Err(ModelError::Empty.into());
        }
        if tokens.len() > limit {
            return Err(ModelError::ContextLength {
                found: tokens.len(),
                limit,
            }
            .into());
        }
        Ok(tokens)
    }

    /// Queues a request.
    pub fn submit(&self, request: GenerationRequest) -> Result<Generation> {
        let adapter = match request.adapter {
            Some(name) => Some(
                self.adapter(&name)
                    .ok_or(GenerateError::UnknownAdapter { name })?,
            ),
            None => None,
        };
        let (sender, events) = mpsc::unbounded_channel();
        let job = Job {
            adapter,
            prompt: self.prompt_tokens(&request.prompt)?,
            sampler: Sampler::new(&request.sampling)?,
            maximum_tokens: request.sampling.maximum_tokens as usize,
            stop: request.stop,
            events: sender,
        };
        let queue = self.queue.as_ref().ok_or(GenerateError::Stopped)?;
        match queue.try_send(job) {
            Ok(()) => Ok(Generation { events }),
            Err(mpsc::error::TrySendError::Full(_)) => Err(GenerateError::Busy {
                waiting: queue.max_capacity(),
            }),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(GenerateError::Stopped),
        }
    }
}

impl Drop for GenerationEngine {
    fn drop(&mut self) {
        self.breaking_off.store(true, Ordering::Relaxed);
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            if thread.join().is_err() {
                tracing::error!("the generation thread panicked");
            }
        }
    }
}

/// The engine thread: admits requests and gives each active one a token in turn.
fn run(base: &ModelFolder, mut jobs: mpsc::Receiver<Job>, limit: usize, stop: &AtomicBool) {
    let mut active: Vec<Active<'_>> = Vec::new();
    loop {
        while active.len() < limit {
            let job = if active.is_empty() {
                jobs.blocking_recv()
            } else {
                jobs.try_recv().ok()
            };
            match job {
                Some(job) => active.extend(Active::admit(job, &base.model, &base.tokenizer)),
                None if active.is_empty() => return,
                None => break,
            }
        }
        if stop.load(Ordering::Relaxed) {
            for request in active {
                request.send(Err(GenerateError::Stopped));
            }
            return;
        }
        active.retain_mut(|request| match request.advance() {
            Ok(going_on) => going_on,
            Err(error) => {
                request.send(Err(error));
                false
            }
        });
    }
}

/// A request that is being decoded.
struct Active<'a> {
    model: &'a Llama,
    adapter: Option<Arc<Adapter>>,
    cache: KeyValueCache,
    sampler: Sampler,
    maximum_tokens: usize,
    prompt: Vec<u32>,
    /// Tokens that the cache does not hold yet: the prompt, then the last token.
    input: Vec<u32>,
    stream: TextStream<'a>,
    generated: usize,
    text: String,
    prefill_time: Duration,
    decode_time: Duration,
    events: mpsc::UnboundedSender<Result<GenerationEvent>>,
}

impl<'a> Active<'a> {
    fn admit(job: Job, model: &'a Llama, tokenizer: &'a TextTokenizer) -> Option<Self> {
        let cache = match KeyValueCache::new(model.config(), model.device()) {
            Ok(cache) => cache,
            Err(error) => {
                // A receiver that is gone has cancelled.
                let _ = job.events.send(Err(error.into()));
                return None;
            }
        };
        Some(Self {
            model,
            adapter: job.adapter,
            cache,
            sampler: job.sampler,
            maximum_tokens: job.maximum_tokens,
            input: job.prompt.clone(),
            prompt: job.prompt,
            stream: TextStream::new(tokenizer, job.stop),
            generated: 0,
            text: String::new(),
            prefill_time: Duration::ZERO,
            decode_time: Duration::ZERO,
            events: job.events,
        })
    }

    /// Generates one token; says whether there are more to come.
    fn advance(&mut self) -> Result<bool> {
        if self.events.is_closed() {
            return Ok(false);
        }
        let begin = Instant::now();
        let logits = self
            .model
            .decode(&self.input, &mut self.cache, self.adapter.as_deref())?
            .to_vec1::<f32>()
            .map_err(ModelError::from)?;
        let token = self.sampler.sample(&logits)?;
        let time = if self.generated == 0 {
            &mut self.prefill_time
        } else {
            &mut self.decode_time
        };
        *time += begin.elapsed();

        if self.model.config().eos_token_id == Some(token) {
            return self.finish(FinishReason::Stop);
        }
        self.generated += 1;
        let piece = self.stream.push(token)?;
        self.emit(piece);
        if self.stream.is_stopped() {
            return self.finish(FinishReason::Stop);
        }
        if self.generated >= self.maximum_tokens || self.cache.len() >= self.cache.context() {
            return self.finish(FinishReason::Length);
        }
        self.input.clear();
        self.input.push(token);
        Ok(true)
    }

    fn finish(&mut self, reason: FinishReason) -> Result<bool> {
        let rest = self.stream.finish()?;
        self.emit(rest);
        // The bytes that waited may have completed a stop sequence.
        let reason = if self.stream.is_stopped() {
            FinishReason::Stop
        } else {
            reason
        };
        let generated = Generated {
            text: std::mem::take(&mut self.text),
            prompt_tokens: std::mem::take(&mut self.prompt),
            response_tokens: self.stream.take_tokens(),
            reason,
            prefill_time: self.prefill_time,
            decode_time: self.decode_time,
        };
        self.send(Ok(GenerationEvent::Finished(Box::new(generated))));
        Ok(false)
    }

    fn emit(&mut self, piece: String) {
        if !piece.is_empty() {
            self.text.push_str(&piece);
            self.send(Ok(GenerationEvent::Text(piece)));
        }
    }

    fn send(&self, event: Result<GenerationEvent>) {
        // A receiver that is gone has cancelled; the next turn notices.
        let _ = self.events.send(event);
    }
}
