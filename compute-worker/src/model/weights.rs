//! Reading and writing safetensors files.

use super::error::{ModelError, Result};
use candle_core::{DType, Device, Shape, Tensor};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// Named tensors, in the order of their names: the order of hashes, norms and flattened gradients.
pub type Tensors = BTreeMap<String, Tensor>;

/// Reads all tensors of a safetensors blob as `f32`.
///
/// `path` only serves for error messages. F32, F16 and BF16 are accepted; values must be finite.
pub fn read_tensors(bytes: &[u8], path: &Path, device: &Device) -> Result<Tensors> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(path, &error))?;
    let mut tensors = Tensors::new();
    for (name, view) in file.iter() {
        let dtype = match view.dtype() {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            other => {
                return Err(ModelError::WrongType {
                    name: name.into(),
                    found: format!("{other:?}"),
                })
            }
        };
        let tensor = Tensor::from_raw_buffer(view.data(), dtype, view.shape(), &Device::Cpu)?
            .to_dtype(DType::F32)?;
        if !finite(&tensor)? {
            return Err(ModelError::NotFinite { name: name.into() });
        }
        tensors.insert(name.into(), tensor.to_device(device)?);
    }
    Ok(tensors)
}

/// Serialises tensors as `f32`: the same tensors always give the same bytes, so a blob can be named
/// by its hash.
pub fn write_tensors(tensors: &Tensors) -> Result<Vec<u8>> {
    let views = tensors
        .iter()
        .map(|(name, tensor)| {
            let values = tensor
                .flatten_all()?
                .to_dtype(DType::F32)?
                .to_vec1::<f32>()?;
            let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
            Ok((
                name.as_str(),
                FloatView {
                    shape: tensor.dims().to_vec(),
                    bytes,
                },
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    // One entry only: the header is a hash map, whose order would not be fixed.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize(views, Some(metadata))
        .map_err(|error| damaged(Path::new("safetensors"), &error))
}

fn damaged(path: &Path, error: &SafeTensorError) -> ModelError {
    ModelError::Damaged {
        path: path.into(),
        reason: error.to_string(),
    }
}

fn finite(tensor: &Tensor) -> Result<bool> {
    Ok(tensor
        .flatten_all()?
        .to_vec1::<f32>()?
        .iter()
        .all(|value| value.is_finite()))
}

struct FloatView {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl safetensors::View for FloatView {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Takes a tensor of the given shape out of a file's tensors.
pub(super) fn take(tensors: &mut Tensors, name: &str, shape: impl Into<Shape>) -> Result<Tensor> {
    let shape = shape.into();
    let tensor = tensors
        .remove(name)
        .ok_or_else(|| ModelError::MissingTensor {
            name: name.to_owned(),
        })?;
    if tensor.shape() != &shape {
        return Err(ModelError::WrongShape {
            name: name.to_owned(),
            expected: shape.into_dims(),
            found: tensor.dims().to_vec(),
        });
    }
    Ok(tensor)
}

/// Refuses tensors that nobody took.
pub(super) fn finish(tensors: Tensors) -> Result<()> {
    match tensors.into_keys().next() {
        Some(name) => Err(ModelError::UnexpectedTensor { name }),
        None => Ok(()),
    }
}
