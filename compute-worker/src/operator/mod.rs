//! The operator's side of training jobs: take, train, prove, get paid.
//!
//! Each round looks at the chain and does what is next for every job ([`Phase`]). Computation runs
//! beside the rounds, one job at a time; everything else is a transaction. Nothing is remembered but
//! checkpoints and what the content store holds, so a worker that was killed goes on where the chain
//! and its work folder say, with the same transcript.

mod error;
mod phase;
mod recipe;
mod training;

#[cfg(test)]
mod tests;

pub use error::OperatorError;
pub use phase::Phase;
pub use recipe::{Architecture, Recipe, RecipeError};
pub use training::{decode_transcript, encode_transcript, Base, Indexed, Plan, Trained};

use crate::{
    artifact::Artifact,
    chain::{calls, Client, Job, JobState, OperatorState, TrainedWeights, Wait},
    dataset::Dataset,
    keys::Key,
    metrics::{Measured, Metrics},
    store::ContentStore,
    train::{CancellationFlag, Environment, Progress, ProgressBar, Silent},
};
use attribution_proof::{
    hash::Hash,
    model::{Committed, ModelKind},
    AccountId, Balance, BlockNumber, JobId,
};
use candle_core::Device;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// Longest hardware profile that the chain takes, in bytes.
const MAX_HARDWARE: usize = 512;
/// Longest endpoint that the chain takes, in bytes.
const MAX_ENDPOINT: usize = 256;
/// Most bytes of a job's hyper-parameters.
const MAX_RECIPE_BYTES: u64 = 1 << 20;
/// How long a job that did not get on is left alone, first and at most; it doubles in between. A fork
/// that undid a block is over in seconds, a payload that is missing may take longer.
const RETRY_WAITS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(64)];

/// How an operator works.
#[derive(Clone, Debug)]
pub struct OperatorOptions {
    /// Bond in base units; the least that the current ruleset allows if missing.
    pub bond: Option<Balance>,
    /// URL of the HTTP API, for clients.
    pub endpoint: String,
    /// Hardware profile as JSON text; see [`hardware_profile`].
    pub hardware: String,
    /// Only jobs of these builders; of all if empty.
    pub builders: Vec<AccountId>,
    /// Jobs at once; none are taken at zero.
    pub most_jobs: usize,
    /// Least fee in base units.
    pub least_fee: Balance,
    /// Most memory that a job's training may need, in bytes.
    pub most_memory: u64,
    /// Time between two looks at the chain.
    pub poll: Duration,
    /// Where checkpoints lie.
    pub folder: PathBuf,
    /// Optimiser steps between checkpoints.
    pub checkpoint_every: u32,
    /// Whether to show bars on the terminal.
    pub progress: bool,
}

/// What this machine is, as JSON text for the chain.
pub fn hardware_profile() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let environment = Environment::of(&Device::Cpu);
    serde_json::json!({
        "device": "cpu",
        "architecture": environment.architecture,
        "kernels": environment.kernels,
        "threads": threads,
    })
    .to_string()
}

/// Works as an operator until `cancellation`: registers if need be, takes jobs and brings them to
/// their end. A job that does not get on is logged and tried again; only what concerns all of them
/// ends the function.
pub async fn run(
    options: OperatorOptions,
    chain: Client,
    store: ContentStore,
    key: Key,
    metrics: Metrics,
    cancellation: CancellationFlag,
) -> Result<(), OperatorError> {
    let operator = Arc::new(Operator {
        options,
        chain,
        store,
        key,
        metrics,
        cancellation,
    });
    operator.register().await?;
    let mut rounds = Rounds {
        operator: operator.clone(),
        heavy: None,
        left_alone: HashMap::new(),
    };
    while !operator.cancellation.is_cancelled() {
        if let Err(error) = rounds.once().await {
            tracing::warn!(%error, "this round failed");
        }
        tokio::time::sleep(operator.options.poll).await;
    }
    if let Some((job, task)) = rounds.heavy {
        // It sees the flag, too, and saves a checkpoint.
        tracing::info!(job, "waiting for the job's checkpoint");
        let _ = task.await;
    }
    Ok(())
}

struct Operator {
    options: OperatorOptions,
    chain: Client,
    store: ContentStore,
    key: Key,
    metrics: Metrics,
    cancellation: CancellationFlag,
}

/// What is between two looks at the chain.
struct Rounds {
    operator: Arc<Operator>,
    /// The computation in progress.
    heavy: Option<(JobId, JoinHandle<Result<(), OperatorError>>)>,
    /// Jobs that did not get on.
    left_alone: HashMap<JobId, LeftAlone>,
}

/// A job that did not get on.
struct LeftAlone {
    until: Instant,
    waited: Duration,
}

impl LeftAlone {
    /// After a failure, `waited` being the wait after the one before.
    fn after(waited: Option<Duration>) -> Self {
        let [first, longest] = RETRY_WAITS;
        let waited = waited.map_or(first, |waited| longest.min(waited * 2));
        Self {
            until: Instant::now() + waited,
            waited,
        }
    }
}

impl Rounds {
    async fn once(&mut self) -> Result<(), OperatorError> {
        self.collect().await;
        let operator = self.operator.clone();
        let account = operator.key.account();
        let best = operator.chain.best_block().await?;
        operator.metrics.best_block.set(i64::from(best));
        let jobs = operator.chain.jobs().await?;
        for (id, job) in &jobs {
            // Whoever ended it, and whether or not this worker was running then.
            if matches!(
                job.state,
                JobState::Finalised { .. } | JobState::Refunded { .. }
            ) {
                operator.forget(*id);
            }
        }
        let phases: Vec<_> = jobs
            .iter()
            .filter_map(|(id, job)| Some((*id, job, Phase::of(job, &account, best)?)))
            .collect();
        let (open, mine): (Vec<_>, Vec<_>) = phases
            .into_iter()
            .partition(|(_, _, phase)| *phase == Phase::Take);
        operator
            .metrics
            .set_phases(mine.iter().map(|(_, _, phase)| phase.name()));
        self.left_alone
            .retain(|id, _| jobs.iter().any(|(known, _)| known == id));
        let mut busy = mine.len();
        for (id, job, phase) in mine {
            if self.is_left_alone(id) {
                continue;
            }
            if phase.is_heavy() {
                self.start(id, job.clone(), phase);
            } else {
                let result = operator.advance(id, &phase, best).await;
                self.note(id, phase.name(), result);
            }
        }
        for (id, job, phase) in open {
            let wanted = operator.wants(job) && !self.is_left_alone(id);
            if wanted && busy < operator.options.most_jobs {
                let result = operator.take(id, job, best).await;
                busy += usize::from(result.is_ok());
                self.note(id, phase.name(), result);
            }
        }
        Ok(())
    }

    /// Starts a computation if none is in progress.
    fn start(&mut self, id: JobId, job: Job, phase: Phase) {
        if self.heavy.is_none() {
            let operator = self.operator.clone();
            let task = tokio::spawn(async move { operator.compute(id, &job, phase).await });
            self.heavy = Some((id, task));
        }
    }

    /// Notes a computation that ended.
    async fn collect(&mut self) {
        if self
            .heavy
            .as_ref()
            .is_some_and(|(_, task)| task.is_finished())
        {
            if let Some((id, task)) = self.heavy.take() {
                let result = task
                    .await
                    .unwrap_or_else(|error| Err(OperatorError::BrokenOff(error.to_string())));
                self.note(id, "compute", result);
            }
        }
    }

    fn is_left_alone(&self, job: JobId) -> bool {
        let now = Instant::now();
        self.left_alone
            .get(&job)
            .is_some_and(|left| left.until > now)
    }

    fn note(&mut self, job: JobId, phase: &'static str, result: Result<(), OperatorError>) {
        let Err(error) = result else {
            self.left_alone.remove(&job);
            return;
        };
        self.operator.metrics.job_errors.inc();
        let left = LeftAlone::after(self.left_alone.get(&job).map(|left| left.waited));
        let seconds = left.waited.as_secs();
        tracing::error!(job, phase, %error, seconds, "the job does not get on; trying again then");
        self.left_alone.insert(job, left);
    }
}

impl Operator {
    /// Makes the account an operator, or brings its profile up to date.
    async fn register(&self) -> Result<(), OperatorError> {
        let OperatorOptions {
            hardware, endpoint, ..
        } = &self.options;
        for (what, text, most) in [
            ("hardware profile", hardware, MAX_HARDWARE),
            ("endpoint", endpoint, MAX_ENDPOINT),
        ] {
            if text.len() > most {
                return Err(OperatorError::TooLong {
                    what,
                    bytes: text.len(),
                    most,
                });
            }
        }
        let account = self.key.account();
        let (_, ruleset) = self.chain.current_ruleset().await?;
        let needed = ruleset.compute.operator_bond;
        match self.chain.operator(&account).await? {
            None => {
                let bond = self.options.bond.unwrap_or(needed);
                if bond < needed {
                    return Err(OperatorError::BondTooLow { bond, needed });
                }
                let call = calls::register_operator(bond, hardware, endpoint);
                self.chain.submit(&self.key, &call, Wait::InBlock).await?;
                tracing::info!(%account, bond, "registered as an operator");
            }
            Some(operator) if operator.state != OperatorState::Active => {
                return Err(OperatorError::Draining);
            }
            Some(operator) if operator.bond < needed => {
                return Err(OperatorError::BondTooLow {
                    bond: operator.bond,
                    needed,
                });
            }
            Some(operator) => {
                let known = operator.hardware == hardware.as_bytes()
                    && operator.endpoint == endpoint.as_bytes();
                if !known {
                    let call = calls::update_operator(hardware, endpoint);
                    self.chain.submit(&self.key, &call, Wait::InBlock).await?;
                }
                tracing::info!(%account, bond = operator.bond, "is an operator already");
            }
        }
        Ok(())
    }

    /// Whether an open job is one that this operator would take.
    fn wants(&self, job: &Job) -> bool {
        let builders = &self.options.builders;
        job.fee >= self.options.least_fee
            && (builders.is_empty() || builders.contains(&job.builder))
    }

    /// Takes an open job whose inputs are all there and can be trained on: afterwards a missing one
    /// would cost the stake.
    async fn take(&self, id: JobId, job: &Job, best: BlockNumber) -> Result<(), OperatorError> {
        let free = self.chain.operator(&self.key.account()).await?;
        let free = free.map_or(0, |operator| operator.bond.saturating_sub(operator.staked));
        let ruleset = self.chain.ruleset(job.ruleset).await?;
        let stake = ruleset.map_or(0, |ruleset| ruleset.compute.job_stake);
        if free < stake {
            return Err(OperatorError::FreeBondTooLow { free, stake });
        }
        let plan = self.plan(id, job, best).await?;
        let most = self.options.most_memory;
        blocking(move || plan.check(most)).await?;
        self.chain
            .submit(&self.key, &calls::take_job(id), Wait::InBlock)
            .await?;
        tracing::info!(job = id, fee = job.fee, "took a job");
        Ok(())
    }

    /// Does a step that needs no computation.
    async fn advance(
        &self,
        id: JobId,
        phase: &Phase,
        best: BlockNumber,
    ) -> Result<(), OperatorError> {
        match phase {
            Phase::DrawOrderSeed { taken_at } => {
                if self.chain.epoch_start().await? > *taken_at {
                    let call = calls::draw_order_seed(id);
                    self.draw(id, self.chain.submit(&self.key, &call, Wait::InBlock).await)?;
                }
            }
            Phase::DrawProjectionSeed { landed_at } => {
                // The randomness of the parent block counts as known since that block.
                if best > *landed_at {
                    let call = calls::draw_projection_seed(id);
                    self.draw(id, self.chain.submit(&self.key, &call, Wait::InBlock).await)?;
                }
            }
            Phase::Finalise => {
                let call = calls::finalise_job(id);
                let events = self.chain.submit(&self.key, &call, Wait::InBlock).await?;
                match events.finalised_model() {
                    Some(model) => {
                        self.metrics.job_ended("finalised");
                        tracing::info!(job = id, model, "paid; the model is registered");
                    }
                    None => {
                        self.metrics.job_ended("refunded");
                        tracing::warn!(job = id, "the model could not be registered");
                    }
                }
            }
            Phase::Expire => {
                let call = calls::expire_job(id);
                self.chain.submit(&self.key, &call, Wait::InBlock).await?;
                self.metrics.job_ended("failed");
                tracing::error!(job = id, "the deadline passed; the stake is lost");
            }
            Phase::Take | Phase::Train { .. } | Phase::Index { .. } | Phase::Wait { .. } => {}
        }
        Ok(())
    }

    /// A draw that came too early, or that somebody else did first, is no failure.
    fn draw(
        &self,
        job: JobId,
        result: Result<crate::chain::TransactionEvents, crate::chain::ChainError>,
    ) -> Result<(), OperatorError> {
        match result {
            Ok(_) => {
                tracing::info!(job, "drew a seed");
                Ok(())
            }
            Err(error)
                if error.is("Compute", "RandomnessTooEarly")
                    || error.is("Compute", "SeedAlreadyDrawn") =>
            {
                tracing::debug!(job, %error, "no seed yet");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Does a step that needs computation.
    async fn compute(
        self: Arc<Self>,
        id: JobId,
        job: &Job,
        phase: Phase,
    ) -> Result<(), OperatorError> {
        match phase {
            Phase::Train {
                taken_at,
                order_seed,
            } => self.train(id, job, taken_at, order_seed).await,
            Phase::Index {
                taken_at,
                weights,
                projection_seed,
            } => {
                self.index(id, job, taken_at, &weights, projection_seed)
                    .await
            }
            _ => Ok(()),
        }
    }

    async fn train(
        &self,
        id: JobId,
        job: &Job,
        taken_at: BlockNumber,
        order_seed: Hash,
    ) -> Result<(), OperatorError> {
        let plan = self.plan(id, job, taken_at).await?;
        let checkpoints = self.folder_of(id).join("checkpoints");
        let every = self.options.checkpoint_every;
        let cancellation = self.cancellation.clone();
        let mut progress = Measured::training(self.metrics.clone(), self.progress());
        tracing::info!(job = id, records = plan.dataset.records.len(), "training");
        let trained = blocking(move || {
            plan.train(
                order_seed,
                &checkpoints,
                every,
                &mut progress,
                &cancellation,
            )
        })
        .await?;
        let artifact = trained.artifact.store(&self.store).await?;
        let transcript = Committed {
            commitment: trained.commitment,
            content: self.store.put(trained.transcript).await?,
        };
        let call = calls::submit_transcript(
            id,
            artifact,
            trained.architecture,
            trained.tokenizer,
            transcript,
            trained.loss_before,
            trained.loss_after,
        );
        self.chain.submit(&self.key, &call, Wait::InBlock).await?;
        tracing::info!(
            job = id,
            resumed_from = trained.resumed_from,
            loss_before = f64::from(trained.loss_before) / 1e6,
            loss_after = f64::from(trained.loss_after) / 1e6,
            transcript = ?transcript.commitment.root,
            "trained"
        );
        Ok(())
    }

    async fn index(
        &self,
        id: JobId,
        job: &Job,
        taken_at: BlockNumber,
        weights: &TrainedWeights,
        projection_seed: Hash,
    ) -> Result<(), OperatorError> {
        let plan = self.plan(id, job, taken_at).await?;
        let artifact = Artifact::load(&self.store, &weights.artifact).await?;
        let folder = self.folder_of(id);
        std::fs::create_dir_all(&folder).map_err(|source| OperatorError::File {
            path: folder.clone(),
            source,
        })?;
        let cancellation = self.cancellation.clone();
        let mut progress = Measured::rows(self.metrics.clone(), self.progress());
        let indexed = blocking(move || {
            let scratch = folder.join("index");
            plan.index(
                &artifact,
                projection_seed,
                &scratch,
                &mut progress,
                &cancellation,
            )
        })
        .await?;
        let index = Committed {
            commitment: indexed.commitment,
            content: self.store.put(indexed.blob).await?,
        };
        let call = calls::submit_index(id, index, indexed.spec);
        self.chain.submit(&self.key, &call, Wait::InBlock).await?;
        let report = indexed.report;
        tracing::info!(
            job = id,
            rows = index.commitment.count,
            own = report.own,
            duplicates = report.duplicates,
            absent = report.absent,
            "indexed"
        );
        Ok(())
    }

    /// Fetches and verifies all that a job needs.
    async fn plan(
        &self,
        id: JobId,
        job: &Job,
        taken_at: BlockNumber,
    ) -> Result<Plan, OperatorError> {
        let base = match job.kind {
            ModelKind::Base => None,
            ModelKind::Adapter { base } => {
                let manifest = self
                    .chain
                    .manifest(base)
                    .await?
                    .ok_or(OperatorError::NoBase(base))?;
                let artifact = Artifact::load(&self.store, &manifest.artifact).await?;
                Some(Base::from_artifact(manifest.artifact, &artifact)?)
            }
        };
        let json = self
            .store
            .get_at_most(&job.hyper_parameters, MAX_RECIPE_BYTES)
            .await?;
        let config = base.as_ref().map(|base| base.folder.model.config());
        let recipe = Recipe::from_json(&json, job.kind, config)?;
        let dataset = Dataset::resolve(&self.chain, &self.store, &job.inputs, taken_at).await?;
        Ok(Plan {
            job: id,
            snapshots: job.inputs.to_vec(),
            recipe,
            base,
            dataset,
        })
    }

    fn progress(&self) -> Box<dyn Progress + Send> {
        if self.options.progress {
            Box::new(ProgressBar::new())
        } else {
            Box::new(Silent)
        }
    }

    /// Jobs of another chain have the same numbers.
    fn folder_of(&self, job: JobId) -> PathBuf {
        let chain = hex::encode(&self.chain.genesis().as_bytes()[..8]);
        self.options.folder.join(format!("{chain}-job-{job}"))
    }

    /// Removes the checkpoints of a job that is over.
    fn forget(&self, job: JobId) {
        let folder = self.folder_of(job);
        if folder.exists() {
            if let Err(error) = std::fs::remove_dir_all(&folder) {
                tracing::warn!(folder = %folder.display(), %error, "cannot remove checkpoints");
            }
        }
    }
}

/// Runs a computation on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OperatorError> + Send + 'static,
) -> Result<T, OperatorError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(OperatorError::BrokenOff(error.to_string())))
}
