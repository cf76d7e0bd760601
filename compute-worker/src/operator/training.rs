//! The computation of a job: from inputs to weights and transcript, and from weights to the index.
//! Nothing here talks to the chain.

use super::{Architecture, OperatorError, Recipe};
use crate::{
    artifact::Artifact,
    attribution::{build_index, gradient_space},
    dataset::Dataset,
    model::{
        Adapter, Llama, LlamaConfig, ModelFolder, TextTokenizer, ADAPTER_CONFIG_FILE,
        ADAPTER_WEIGHTS_FILE, CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE,
    },
    store::content_id,
    train::{
        derive_seed, train, CancellationFlag, CheckpointPolicy, Progress, TrainingData,
        TrainingInputs, TrainingOutcome, TrainingTarget, Transcript,
    },
};
use attribution_engine::influence::{Index, IndexReport, Preconditioner, DAMPING};
use attribution_proof::{
    contribution::Snapshot,
    hash::Hash,
    influence::IndexSpec,
    merkle::Commitment,
    transcript::{TranscriptStart, TranscriptStep},
    ContentId, JobId,
};
use candle_core::Device;
use codec::{DecodeAll, Encode};
use std::path::Path;

const TRANSCRIPT_MAGIC: &[u8; 4] = b"OLDT";
const TRANSCRIPT_VERSION: u8 = 1;
/// Checkpoints that are kept.
const KEPT_CHECKPOINTS: usize = 2;

/// The base of an adapter job.
#[derive(Debug)]
pub struct Base {
    /// Its artifact.
    pub artifact: ContentId,
    /// Its weights and tokenizer.
    pub folder: ModelFolder,
    /// Its `tokenizer.json`, byte for byte.
    pub tokenizer_file: Vec<u8>,
}

impl Base {
    /// From the files of a base model's artifact.
    pub fn from_artifact(id: ContentId, artifact: &Artifact) -> Result<Self, OperatorError> {
        let tokenizer = artifact.file(TOKENIZER_FILE)?;
        let folder = ModelFolder::from_bytes(
            artifact.file(CONFIG_FILE)?,
            artifact.file(WEIGHTS_FILE)?,
            tokenizer,
            &Device::Cpu,
        )?;
        Ok(Self {
            artifact: id,
            folder,
            tokenizer_file: tokenizer.to_vec(),
        })
    }
}

/// Everything that fixes a job except the seeds.
#[derive(Debug)]
pub struct Plan {
    /// The job.
    pub job: JobId,
    /// Its input snapshots.
    pub snapshots: Vec<Snapshot>,
    /// What to build and how.
    pub recipe: Recipe,
    /// The base, for an adapter.
    pub base: Option<Base>,
    /// The input records.
    pub dataset: Dataset,
}

/// Trained weights with what goes on chain about them.
#[derive(Debug)]
pub struct Trained {
    /// The artifact.
    pub artifact: Artifact,
    /// Hash of the configuration file.
    pub architecture: Hash,
    /// Hash of the tokenizer file.
    pub tokenizer: Hash,
    /// The transcript's blob.
    pub transcript: Vec<u8>,
    /// Commitment over its states.
    pub commitment: Commitment,
    /// Held-out loss before, in millionths of a nat per token.
    pub loss_before: u32,
    /// Held-out loss afterwards, in millionths of a nat per token.
    pub loss_after: u32,
    /// Step of the checkpoint that the run went on from; zero when it began here.
    pub resumed_from: u32,
}

/// An influence index with what goes on chain about it.
#[derive(Debug)]
pub struct Indexed {
    /// The index's blob, in the engine's format.
    pub blob: Vec<u8>,
    /// Commitment over its rows.
    pub commitment: Commitment,
    /// Its terms.
    pub spec: IndexSpec,
    /// How many rows are what.
    pub report: IndexReport,
}

impl Plan {
    /// Checks, before any stake is put on the job, that the training fits into `most_memory` bytes, that
    /// every input record that counts is text and tokenises, and that there are enough of them.
    pub fn check(&self, most_memory: u64) -> Result<(), OperatorError> {
        let base = self.base.as_ref().map(|base| base.folder.model.config());
        let needed = self.recipe.memory(base);
        if needed > most_memory {
            return Err(OperatorError::TooLarge {
                needed,
                most: most_memory,
            });
        }
        self.data()?.usable()?;
        Ok(())
    }

    fn config(&self) -> Option<&LlamaConfig> {
        match &self.recipe.architecture {
            Architecture::Base(config) => Some(config),
            Architecture::Adapter(_) => self.base.as_ref().map(|base| base.folder.model.config()),
        }
    }

    fn data(&self) -> Result<TrainingData, OperatorError> {
        let records = self.dataset.records.iter().enumerate();
        if let Some((ordinal, record)) = records
            .clone()
            .find(|(_, record)| !record.absent && !record.is_text)
        {
            return Err(OperatorError::NotText {
                ordinal,
                contribution: record.contribution,
                record: record.index,
            });
        }
        let config = self.config().ok_or(OperatorError::NoBase(0))?;
        let records = self.dataset.present();
        Ok(match &self.base {
            Some(base) => TrainingData::new(&records, &base.folder.tokenizer, config)?,
            None => TrainingData::new(&records, &TextTokenizer::byte_level()?, config)?,
        })
    }

    /// The model before training: fresh weights under the order seed, which nobody chose.
    fn target(&self, order_seed: &Hash) -> Result<TrainingTarget, OperatorError> {
        Ok(match (&self.recipe.architecture, &self.base) {
            (Architecture::Base(config), _) => {
                let seed = derive_seed(order_seed, "initial weights");
                TrainingTarget::Full(Llama::initialize(config.clone(), seed, &Device::Cpu)?)
            }
            (Architecture::Adapter(config), Some(base)) => {
                let model = &base.folder.model;
                let seed = derive_seed(order_seed, "initial adapter");
                let adapter =
                    Adapter::initialize(config.clone(), model.config(), seed, &Device::Cpu)?;
                TrainingTarget::Adapter {
                    base: model.clone(),
                    adapter,
                }
            }
            (Architecture::Adapter(_), None) => return Err(OperatorError::NoBase(0)),
        })
    }

    /// Trains, or goes on from the last checkpoint in `checkpoints`.
    pub fn train(
        &self,
        order_seed: Hash,
        checkpoints: &Path,
        every: u32,
        progress: &mut dyn Progress,
        cancellation: &CancellationFlag,
    ) -> Result<Trained, OperatorError> {
        let data = self.data()?;
        let inputs = TrainingInputs {
            job: self.job,
            base: self.base.as_ref().map_or([0; 32], |base| base.artifact),
            snapshots: self.snapshots.clone(),
            order_seed,
            data: &data,
            hyper_parameters: self.recipe.training.clone(),
            checkpoints: Some(CheckpointPolicy {
                folder: checkpoints.to_path_buf(),
                every,
                keep: KEPT_CHECKPOINTS,
            }),
        };
        let outcome = train(self.target(&order_seed)?, &inputs, progress, cancellation)?;
        self.trained(outcome)
    }

    fn trained(&self, outcome: TrainingOutcome) -> Result<Trained, OperatorError> {
        let (config, tokenizer, artifact) = match &outcome.target {
            TrainingTarget::Full(model) => {
                let config = to_json(model.config())?;
                let tokenizer = TextTokenizer::byte_level()?.to_json()?.into_bytes();
                let artifact = Artifact::new([
                    (CONFIG_FILE, config.clone()),
                    (WEIGHTS_FILE, outcome.weights),
                    (TOKENIZER_FILE, tokenizer.clone()),
                ]);
                (config, tokenizer, artifact)
            }
            TrainingTarget::Adapter { adapter, .. } => {
                let config = adapter.config_json()?.into_bytes();
                let tokenizer = self.base.as_ref().map(|base| base.tokenizer_file.clone());
                let artifact = Artifact::new([
                    (ADAPTER_CONFIG_FILE, config.clone()),
                    (ADAPTER_WEIGHTS_FILE, outcome.weights),
                ]);
                (config, tokenizer.unwrap_or_default(), artifact)
            }
        };
        Ok(Trained {
            artifact,
            architecture: content_id(&config).into(),
            tokenizer: content_id(&tokenizer).into(),
            commitment: outcome.transcript.commitment(),
            transcript: encode_transcript(&outcome.transcript),
            loss_before: millionths(outcome.held_out_before),
            loss_after: millionths(outcome.held_out_after),
            resumed_from: outcome.resumed_from,
        })
    }

    /// Computes the influence index of the trained weights in `artifact`. `scratch` is a file to
    /// write it to on the way.
    pub fn index(
        &self,
        artifact: &Artifact,
        projection_seed: Hash,
        scratch: &Path,
        progress: &mut dyn Progress,
        cancellation: &CancellationFlag,
    ) -> Result<Indexed, OperatorError> {
        let data = self.data()?;
        let commits = self.dataset.commits();
        let tombstoned = self.dataset.tombstoned();
        let mut build = |base: &Llama, adapter: Option<&Adapter>| {
            let space = gradient_space(base, adapter)?;
            build_index(
                &space,
                &data,
                &commits,
                &tombstoned,
                &projection_seed,
                &mut *progress,
                cancellation,
            )
        };
        let (index, report): (Index, IndexReport) = match &self.base {
            Some(base) => {
                let base = &base.folder.model;
                let adapter = Adapter::from_bytes(
                    artifact.file(ADAPTER_CONFIG_FILE)?,
                    artifact.file(ADAPTER_WEIGHTS_FILE)?,
                    base.config(),
                    &Device::Cpu,
                )?;
                build(base, Some(&adapter))?
            }
            None => {
                let trained = Base::from_artifact(artifact.id(), artifact)?;
                build(&trained.folder.model, None)?
            }
        };
        let preconditioner = Preconditioner::new(&index, DAMPING)?;
        let file_error = |source| OperatorError::File {
            path: scratch.into(),
            source,
        };
        index.save(scratch)?;
        let blob = std::fs::read(scratch).map_err(file_error)?;
        std::fs::remove_file(scratch).map_err(file_error)?;
        Ok(Indexed {
            blob,
            commitment: index.tree(self.job, &self.dataset.leaves())?.commitment(),
            spec: index.spec(projection_seed, &preconditioner),
            report,
        })
    }
}

fn to_json(config: &LlamaConfig) -> Result<Vec<u8>, OperatorError> {
    serde_json::to_vec_pretty(config)
        .map_err(|error| crate::model::ModelError::Config(error.to_string()).into())
}

/// A loss in millionths of a nat, as manifests have it.
fn millionths(loss: f32) -> u32 {
    // The cast saturates.
    (f64::from(loss) * 1e6).round() as u32
}

/// The blob of a transcript.
pub fn encode_transcript(transcript: &Transcript) -> Vec<u8> {
    let mut blob = TRANSCRIPT_MAGIC.to_vec();
    blob.push(TRANSCRIPT_VERSION);
    transcript.start.encode_to(&mut blob);
    transcript.steps.encode_to(&mut blob);
    blob
}

/// Reads the blob of a transcript; nothing if it is none of this version.
pub fn decode_transcript(blob: &[u8]) -> Option<Transcript> {
    let body = blob
        .strip_prefix(TRANSCRIPT_MAGIC.as_slice())?
        .strip_prefix(&[TRANSCRIPT_VERSION])?;
    let (start, steps) = <(TranscriptStart, Vec<TranscriptStep>)>::decode_all(&mut &*body).ok()?;
    Some(Transcript { start, steps })
}
