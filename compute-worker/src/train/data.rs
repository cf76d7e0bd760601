//! Records cut into sequences, and the order in which they are seen.

use super::{
    error::{Result, TrainError},
    transcript::{derive_seed, digest},
};
use crate::model::{LlamaConfig, ModelError, TextTokenizer};
use attribution_proof::hash::Hash;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha20Rng,
};
use std::sync::Arc;

/// A stretch of one record: tokens `start .. start + length` are the inputs, the tokens one further
/// the targets. A sequence belongs to exactly one record, so that every gradient has an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Ordinal of the record.
    pub record: usize,
    /// First input token within the record's token stream.
    pub start: usize,
    /// Tokens to predict.
    pub length: usize,
}

/// Most bytes of a record: its gradient is one row, and a row should point at something that a
/// person can look at.
const MAX_RECORD_BYTES: usize = 16 << 20;

/// The tokens of all input records.
///
/// A record's stream is the begin token, its text, the end token (where the model has them), so a
/// record of `n` tokens has `n + 1` targets and each target is predicted exactly once.
#[derive(Clone, Debug)]
pub struct TrainingData {
    streams: Vec<Vec<u32>>,
}

impl TrainingData {
    /// Tokenises records, which stand at their ordinals. Each must be UTF-8. `None` is a tombstone:
    /// it keeps its ordinal and has nothing to predict.
    pub fn new<R: AsRef<[u8]>>(
        records: &[Option<R>],
        tokenizer: &TextTokenizer,
        config: &LlamaConfig,
    ) -> Result<Self> {
        let streams = records
            .iter()
            .enumerate()
            .map(|(record, bytes)| {
                let Some(bytes) = bytes else {
                    return Ok(Vec::new());
                };
                let bytes = bytes.as_ref();
                if bytes.len() > MAX_RECORD_BYTES {
                    return Err(TrainError::RecordTooLong {
                        record,
                        bytes: bytes.len(),
                        limit: MAX_RECORD_BYTES,
                    });
                }
                let text = tokenizer.encode_bytes(bytes).map_err(|error| match error {
                    ModelError::NotUtf8 { offset } => TrainError::NotUtf8 { record, offset },
                    other => other.into(),
                })?;
                Ok(config
                    .bos_token_id
                    .into_iter()
                    .chain(text)
                    .chain(config.eos_token_id)
                    .collect())
            })
            .collect::<Result<_>>()?;
        Ok(Self { streams })
    }

    /// Number of records.
    pub fn records(&self) -> usize {
        self.streams.len()
    }

    /// Tokens to predict in a record.
    pub fn targets(&self, record: usize) -> usize {
        self.streams[record].len().saturating_sub(1)
    }

    /// The records that have something to predict: at least two, one to train on and one to hold out.
    pub fn usable(&self) -> Result<Vec<usize>> {
        let usable: Vec<usize> = (0..self.records())
            .filter(|&record| self.targets(record) > 0)
            .collect();
        if usable.len() < 2 {
            return Err(TrainError::TooFewRecords {
                found: usable.len(),
            });
        }
        Ok(usable)
    }

    /// The sequences of a record: as few as have at most `limit` tokens each, of lengths as equal
    /// as can be, so that none is a stub without context.
    pub fn sequences(&self, record: usize, limit: usize) -> impl Iterator<Item = Sequence> {
        let targets = self.targets(record);
        let count = targets.div_ceil(limit.max(1));
        (0..count).map(move |index| {
            let start = targets * index / count;
            Sequence {
                record,
                start,
                length: targets * (index + 1) / count - start,
            }
        })
    }

    /// Sequences one after the other. `weight` gives the weight of each token of a sequence.
    pub(super) fn batch(&self, sequences: &[Sequence], weight: impl Fn(&Sequence) -> f32) -> Batch {
        let mut batch = Batch::default();
        let mut targets = Vec::new();
        for sequence in sequences {
            let stream = &self.streams[sequence.record];
            let end = sequence.start + sequence.length;
            batch.lengths.push(sequence.length);
            batch.inputs.extend(&stream[sequence.start..end]);
            targets.extend(&stream[sequence.start + 1..=end]);
            batch
                .weights
                .extend(std::iter::repeat_n(weight(sequence), sequence.length));
        }
        batch.targets = targets.into();
        batch
    }
}

/// Sequences, their tokens one after the other.
#[derive(Default)]
pub(super) struct Batch {
    /// Tokens of each sequence.
    pub(super) lengths: Vec<usize>,
    /// All input tokens.
    pub(super) inputs: Vec<u32>,
    /// The token behind each input token.
    pub(super) targets: Arc<[u32]>,
    /// Weight of each token's loss.
    pub(super) weights: Vec<f32>,
}

/// Which records are trained on, and in which order, all by the order seed.
pub(super) struct Order {
    /// Records held out, ascending.
    pub(super) held_out: Vec<usize>,
    /// Sequences of all other records, by ordinal.
    sequences: Vec<Sequence>,
    /// Base of the per-epoch seeds.
    seed: Hash,
}

impl Order {
    /// Holds out one record in `every`, at least one and at most `most`, among those that have
    /// something to predict.
    pub(super) fn new(
        data: &TrainingData,
        seed: &Hash,
        limit: usize,
        every: usize,
        most: usize,
    ) -> Result<Self> {
        let usable = data.usable()?;
        let count = (usable.len() / every).clamp(1, most);
        let mut drawn = usable.clone();
        shuffle(&mut drawn, derive_seed(seed, "held-out records"));
        let mut held_out = drawn[..count].to_vec();
        held_out.sort_unstable();
        let sequences = usable
            .into_iter()
            .filter(|record| held_out.binary_search(record).is_err())
            .flat_map(|record| data.sequences(record, limit))
            .collect();
        Ok(Self {
            held_out,
            sequences,
            seed: *seed,
        })
    }

    /// Number of training sequences.
    pub(super) fn len(&self) -> usize {
        self.sequences.len()
    }

    /// The sequences of step `step` (from 1): the endless concatenation of one permutation per
    /// epoch, cut into batches.
    pub(super) fn batch(&self, step: u32, size: usize, epochs: &mut EpochCache) -> Vec<Sequence> {
        let first = (step as usize - 1) * size;
        (first..first + size)
            .map(|position| {
                let (epoch, index) = (position / self.len(), position % self.len());
                self.sequences[epochs.permutation(epoch, self)[index]]
            })
            .collect()
    }
}

/// The permutations of the current epochs. A batch touches few, usually one.
#[derive(Default)]
pub(super) struct EpochCache(std::collections::BTreeMap<usize, Vec<usize>>);

impl EpochCache {
    fn permutation(&mut self, epoch: usize, order: &Order) -> &[usize] {
        if !self.0.contains_key(&epoch) {
            // Batches move forward, or backward when a run is replayed.
            self.0.retain(|&other, _| other.abs_diff(epoch) <= 1);
        }
        self.0.entry(epoch).or_insert_with(|| {
            let mut permutation: Vec<usize> = (0..order.len()).collect();
            shuffle(
                &mut permutation,
                derive_seed(&order.seed, &format!("epoch {epoch}")),
            );
            permutation
        })
    }
}

/// Hash of a batch: which stretches of which records, in order.
pub(super) fn batch_hash(sequences: &[Sequence]) -> Hash {
    let bytes: Vec<u8> = sequences
        .iter()
        .flat_map(|sequence| [sequence.record, sequence.start, sequence.length])
        .flat_map(|value| (value as u64).to_le_bytes())
        .collect();
    digest("batch", &[&bytes])
}

/// Fisher and Yates' shuffle with ChaCha20.
fn shuffle<T>(values: &mut [T], seed: [u8; 32]) {
    let mut generator = ChaCha20Rng::from_seed(seed);
    for last in (1..values.len()).rev() {
        let bound = last as u64 + 1;
        // Draws at or above the largest multiple of the bound would favour small values.
        let limit = u64::MAX - u64::MAX % bound;
        let draw = loop {
            let draw = generator.next_u64();
            if draw < limit {
                break draw;
            }
        };
        values.swap(last, (draw % bound) as usize);
    }
}
