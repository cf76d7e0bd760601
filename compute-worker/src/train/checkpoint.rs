//! Checkpoints that survive a kill at any moment.

use super::{
    error::{Result, TrainError},
    optimizer::AdamW,
    parameters::{little_endian, Parameters},
};
use attribution_proof::{hash::Hash, transcript::TranscriptStep};
use codec::{Decode, DecodeAll, Encode};
use safetensors::{tensor::TensorView, Dtype, SafeTensors};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// Where and how often a run saves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointPolicy {
    /// The run's own folder; created if need be.
    pub folder: PathBuf,
    /// Steps between checkpoints, at least 1.
    pub every: u32,
    /// Checkpoints that are kept, at least 1. Auditors of single segments need all of them.
    pub keep: usize,
}

/// Everything but weights and moments.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub(super) struct RunState {
    /// `c_0`: names the run.
    pub(super) start: Hash,
    /// Bits of the held-out loss before the first step.
    pub(super) held_out_before: u32,
    /// Tokens trained on so far.
    pub(super) tokens: u64,
    /// Every step so far.
    pub(super) steps: Vec<TranscriptStep>,
}

const WEIGHTS: &str = "weights.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.scale";
const FIRST_MOMENT: &str = "first_moment";
const SECOND_MOMENT: &str = "second_moment";
const PREFIX: &str = "step-";
const PARTIAL: &str = ".partial";

/// Writes the checkpoint of a step: into a folder of another name first, renamed when all of it is
/// on disk, so that a folder with the right name is always complete. Old ones go afterwards.
pub(super) fn save(
    policy: &CheckpointPolicy,
    step: u32,
    parameters: &Parameters,
    optimizer: &AdamW,
    state: &RunState,
) -> Result<()> {
    let path = policy.folder.join(format!("{PREFIX}{step:08}"));
    let partial = policy.folder.join(format!("{PREFIX}{step:08}{PARTIAL}"));
    let attempt = || -> std::io::Result<()> {
        if path.exists() {
            // Only a damaged one can be in the way: a good one would have been resumed from.
            fs::remove_dir_all(&path)?;
        }
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        fs::create_dir_all(&partial)?;
        write_synced(&partial.join(WEIGHTS), &parameters.file())?;
        write_synced(&partial.join(OPTIMIZER), &optimizer_file(optimizer)?)?;
        write_synced(&partial.join(STATE), &state.encode())?;
        sync_folder(&partial)?;
        fs::rename(&partial, &path)?;
        sync_folder(&policy.folder)?;
        let mut steps = saved_steps(&policy.folder)?;
        while steps.len() > policy.keep.max(1) {
            fs::remove_dir_all(
                policy
                    .folder
                    .join(format!("{PREFIX}{:08}", steps.remove(0))),
            )?;
        }
        Ok(())
    };
    attempt().map_err(|source| TrainError::CheckpointFile {
        path: path.clone(),
        source,
    })
}

/// Puts the newest good checkpoint of the run `start` into `parameters` and `optimizer`.
pub(super) fn load(
    policy: &CheckpointPolicy,
    start: &Hash,
    parameters: &mut Parameters,
    optimizer: &mut AdamW,
) -> Result<Option<RunState>> {
    let folder = &policy.folder;
    let file_error = |source| TrainError::CheckpointFile {
        path: folder.clone(),
        source,
    };
    fs::create_dir_all(folder).map_err(file_error)?;
    let mut newest_damage = None;
    for step in saved_steps(folder).map_err(file_error)?.into_iter().rev() {
        let path = folder.join(format!("{PREFIX}{step:08}"));
        match read(&path, step, parameters.len()) {
            Ok((state, _, _)) if state.start != *start => {
                return Err(TrainError::CheckpointOfAnotherRun { path });
            }
            Ok((state, weights, moments)) => {
                parameters.replace(weights)?;
                *optimizer = moments;
                let last = state
                    .steps
                    .last()
                    .map(|last| (last.weights, last.optimizer));
                if last == Some((parameters.hash(), optimizer.hash())) {
                    return Ok(Some(state));
                }
                let reason = "weights or optimiser state do not match the transcript".to_owned();
                note_damage(&mut newest_damage, path, reason);
            }
            Err(reason) => note_damage(&mut newest_damage, path, reason),
        }
    }
    match newest_damage {
        Some((path, reason)) => Err(TrainError::CheckpointDamaged { path, reason }),
        None => Ok(None),
    }
}

fn note_damage(newest: &mut Option<(PathBuf, String)>, path: PathBuf, reason: String) {
    tracing::warn!(checkpoint = %path.display(), %reason, "damaged checkpoint, trying an older one");
    newest.get_or_insert((path, reason));
}

fn read(path: &Path, step: u32, count: usize) -> Result<(RunState, Vec<f32>, AdamW), String> {
    let file = |name: &str| fs::read(path.join(name)).map_err(|error| format!("{name}: {error}"));
    let state = RunState::decode_all(&mut &file(STATE)?[..])
        .map_err(|error| format!("{STATE}: {error}"))?;
    if state.steps.len() != step as usize {
        return Err(format!(
            "{} steps in the checkpoint of step {step}",
            state.steps.len()
        ));
    }
    let bytes = file(WEIGHTS)?;
    let tensors =
        SafeTensors::deserialize(&bytes).map_err(|error| format!("{WEIGHTS}: {error}"))?;
    let mut names = tensors.names();
    names.sort_unstable();
    let mut weights = Vec::with_capacity(count);
    for name in names {
        weights.extend(floats(&tensors, name)?);
    }
    let bytes = file(OPTIMIZER)?;
    let tensors =
        SafeTensors::deserialize(&bytes).map_err(|error| format!("{OPTIMIZER}: {error}"))?;
    let first_moment = floats(&tensors, FIRST_MOMENT)?;
    let second_moment = floats(&tensors, SECOND_MOMENT)?;
    if [weights.len(), first_moment.len(), second_moment.len()] != [count; 3] {
        return Err(format!("it is not a checkpoint of {count} weights"));
    }
    Ok((
        state,
        weights,
        AdamW {
            first_moment,
            second_moment,
        },
    ))
}

fn floats(tensors: &SafeTensors<'_>, name: &str) -> Result<Vec<f32>, String> {
    let view = tensors.tensor(name).map_err(|error| error.to_string())?;
    if view.dtype() != Dtype::F32 {
        return Err(format!("{name} is not F32"));
    }
    let values = view.data().chunks_exact(4);
    Ok(values
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect())
}

fn optimizer_file(optimizer: &AdamW) -> std::io::Result<Vec<u8>> {
    let moments = [
        (FIRST_MOMENT, little_endian(&optimizer.first_moment)),
        (SECOND_MOMENT, little_endian(&optimizer.second_moment)),
    ];
    let mut views = Vec::with_capacity(moments.len());
    for (name, bytes) in &moments {
        let shape = vec![bytes.len() / 4];
        views.push((
            *name,
            TensorView::new(Dtype::F32, shape, bytes).map_err(std::io::Error::other)?,
        ));
    }
    safetensors::serialize(views, None).map_err(std::io::Error::other)
}

/// Steps of complete checkpoints, ascending.
fn saved_steps(folder: &Path) -> std::io::Result<Vec<u32>> {
    let mut steps = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if let Some(step) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) {
            if let Ok(step) = step.parse() {
                steps.push(step);
            }
        }
    }
    steps.sort_unstable();
    Ok(steps)
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes renames and new files in a folder durable.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
