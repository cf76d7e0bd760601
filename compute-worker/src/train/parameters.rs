//! The trained weights as one vector on the host.

use super::error::{Result, TrainError};
use crate::model::{write_tensors, Tensors};
use attribution_proof::hash::Hash;
use candle_core::{backprop::GradStore, Shape, Tensor, Var};

/// One trained tensor.
struct Entry {
    name: String,
    variable: Var,
    shape: Shape,
    /// First element in the flat vector.
    offset: usize,
}

/// All trained tensors in the order of their names, with a flat copy on the host.
///
/// The host copy is the master: the optimiser updates it, the transcript hashes it, and the device
/// gets the result. Every step has to bring the weights to the host anyway to hash them.
pub(super) struct Parameters {
    entries: Vec<Entry>,
    values: Vec<f32>,
    /// `(end, decays)` of each tensor: matrices decay, norms do not.
    decays: Vec<(usize, bool)>,
    /// The part of a safetensors file in front of the values.
    header: Vec<u8>,
}

impl Parameters {
    /// The tensors must be variables.
    pub(super) fn new(tensors: Tensors) -> Result<Self> {
        let file = write_tensors(&tensors)?;
        let mut values = Vec::new();
        let mut entries = Vec::with_capacity(tensors.len());
        let mut decays = Vec::with_capacity(tensors.len());
        for (name, tensor) in tensors {
            let offset = values.len();
            values.extend(tensor.flatten_all()?.to_vec1::<f32>()?);
            decays.push((values.len(), tensor.rank() > 1));
            let shape = tensor.shape().clone();
            entries.push(Entry {
                name,
                variable: Var::from_tensor(&tensor)?,
                shape,
                offset,
            });
        }
        let header = file[..file.len() - 4 * values.len()].to_vec();
        Ok(Self {
            entries,
            values,
            decays,
            header,
        })
    }

    /// Number of trained weights.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The weights.
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// `(end, decays)` of each tensor.
    pub(super) fn decays(&self) -> &[(usize, bool)] {
        &self.decays
    }

    /// The weights, and `(end, decays)` of each tensor.
    pub(super) fn values_mut(&mut self) -> (&mut [f32], &[(usize, bool)]) {
        (&mut self.values, &self.decays)
    }

    /// Copies the host's weights to the device.
    pub(super) fn upload(&self) -> Result<()> {
        for entry in &self.entries {
            let end = entry.offset + entry.shape.elem_count();
            let device = entry.variable.device();
            let tensor = Tensor::from_slice(&self.values[entry.offset..end], &entry.shape, device)?;
            entry.variable.set(&tensor)?;
        }
        Ok(())
    }

    /// Replaces the weights, on the host and on the device.
    pub(super) fn replace(&mut self, values: Vec<f32>) -> Result<()> {
        self.values = values;
        self.upload()
    }

    /// Gathers the gradients in the weights' order. A tensor without one is an error: candle drops
    /// inputs out of the graph without a word.
    pub(super) fn gradients(&self, store: &GradStore, target: &mut Vec<f32>) -> Result<()> {
        target.clear();
        for entry in &self.entries {
            let gradient = store
                .get(&entry.variable)
                .ok_or_else(|| TrainError::NoGradient {
                    name: entry.name.clone(),
                })?;
            target.extend(gradient.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(())
    }

    /// The weights as a safetensors file.
    pub(super) fn file(&self) -> Vec<u8> {
        let mut file = self.header.clone();
        file.extend(little_endian(&self.values));
        file
    }

    /// BLAKE3 of [`Self::file`]: the hash of a step's weights is the content id of the file that
    /// holds them.
    pub(super) fn hash(&self) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.header);
        hash_values(&mut hasher, &self.values);
        Hash::from(*hasher.finalize().as_bytes())
    }
}

/// Little-endian bytes of floats.
pub(super) fn little_endian(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Hashes floats as little-endian bytes, block by block.
pub(super) fn hash_values(hasher: &mut blake3::Hasher, values: &[f32]) {
    const BLOCK: usize = 16_384;
    let mut bytes = vec![0u8; 4 * BLOCK.min(values.len())];
    for block in values.chunks(BLOCK) {
        for (bytes, value) in bytes.chunks_exact_mut(4).zip(block) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        hasher.update(&bytes[..4 * block.len()]);
    }
}
