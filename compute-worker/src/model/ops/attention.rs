//! Causal attention with grouped key and value heads (Ainslie et al. 2023, arXiv 2305.13245).

use super::{dot, exp, gradient, maximum, output, sum};
use candle_core::{
    backend::BackendStorage, bail, CpuStorage, CustomOp3, DType, Layout, Result, Shape, Storage,
    Tensor, D,
};
use rayon::prelude::*;

/// One sequence of an attention call: its queries are the last `queries` of its `keys` positions,
/// so query `i` sees keys `0 ..= keys - queries + i`. With `queries == keys` this is training or a
/// prefill, with fewer it is decoding behind a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) queries: usize,
    pub(crate) keys: usize,
}

impl Segment {
    /// Keys before the first query.
    fn past(self) -> usize {
        self.keys - self.queries
    }
}

/// Shape of one attention call.
///
/// Queries are `[all queries, heads * head_dim]`, keys and values
/// `[all keys, key_value_heads * head_dim]`, each the sequences' rows one after the other: sequences
/// of different lengths need no padding.
#[derive(Clone, Debug)]
pub(crate) struct AttentionShape {
    pub(crate) segments: Vec<Segment>,
    pub(crate) heads: usize,
    pub(crate) key_value_heads: usize,
    pub(crate) head_dim: usize,
}

impl AttentionShape {
    /// `1 / sqrt(head_dim)`.
    fn scale(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }

    fn query_width(&self) -> usize {
        self.heads * self.head_dim
    }

    fn key_width(&self) -> usize {
        self.key_value_heads * self.head_dim
    }

    /// Each segment with its first query row and its first key row.
    fn placed(&self) -> impl Iterator<Item = Placed> + '_ {
        self.segments
            .iter()
            .scan((0, 0), |(query_row, key_row), &segment| {
                let placed = Placed {
                    segment,
                    query_row: *query_row,
                    key_row: *key_row,
                };
                *query_row += segment.queries;
                *key_row += segment.keys;
                Some(placed)
            })
    }

    fn check(&self, query: &Tensor, key: &Tensor, value: &Tensor) -> Result<()> {
        let queries = self.segments.iter().map(|segment| segment.queries).sum();
        let keys = self.segments.iter().map(|segment| segment.keys).sum();
        let key_dims = (keys, self.key_width());
        if self
            .segments
            .iter()
            .any(|segment| segment.keys < segment.queries)
            || query.dims2()? != (queries, self.query_width())
            || key.dims2()? != key_dims
            || value.dims2()? != key_dims
        {
            bail!(
                "attention of shape {self:?} got query {:?}, key {:?}, value {:?}",
                query.dims(),
                key.dims(),
                value.dims()
            );
        }
        Ok(())
    }
}

/// A segment and where it begins.
#[derive(Clone, Copy, Debug)]
struct Placed {
    segment: Segment,
    query_row: usize,
    key_row: usize,
}

/// `softmax(q k^T / sqrt(head_dim) + causal mask) v` for each sequence,
/// `[all queries, heads * head_dim]`.
pub(crate) fn attention(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    shape: &AttentionShape,
) -> Result<Tensor> {
    shape.check(query, key, value)?;
    if query.device().is_cpu() {
        let (query, key, value) = (query.contiguous()?, key.contiguous()?, value.contiguous()?);
        return query.apply_op3(
            &key,
            &value,
            CausalAttention {
                shape: shape.clone(),
            },
        );
    }
    composed(query, key, value, shape)
}

/// The same of differentiable tensor operations, sequence by sequence, for every device.
pub(super) fn composed(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    shape: &AttentionShape,
) -> Result<Tensor> {
    let (key_value_heads, head_dim) = (shape.key_value_heads, shape.head_dim);
    let group = shape.heads / key_value_heads;
    let outputs = shape
        .placed()
        .map(
            |Placed {
                 segment,
                 query_row,
                 key_row,
             }| {
                let Segment { queries, keys } = segment;
                // [key_value_heads, group * queries, head_dim]: a group's heads share their keys.
                let query = query
                    .narrow(0, query_row, queries)?
                    .reshape((queries, key_value_heads, group, head_dim))?
                    .permute((1, 2, 0, 3))?
                    .reshape((key_value_heads, group * queries, head_dim))?;
                let split = |x: &Tensor| {
                    x.narrow(0, key_row, keys)?
                        .reshape((keys, key_value_heads, head_dim))?
                        .transpose(0, 1)?
                        .contiguous()
                };
                let (key, value) = (split(key)?, split(value)?);
                let mask: Vec<f32> = (0..group * queries)
                    .flat_map(|row| {
                        let visible = segment.past() + row % queries;
                        (0..keys).map(move |column| {
                            if column <= visible {
                                0.0
                            } else {
                                f32::NEG_INFINITY
                            }
                        })
                    })
                    .collect();
                let mask = Tensor::from_vec(mask, (1, group * queries, keys), query.device())?;
                let scores =
                    (query.matmul(&key.t()?)? * f64::from(shape.scale()))?.broadcast_add(&mask)?;
                let largest = scores.max_keepdim(D::Minus1)?.detach();
                let exponentials = scores.broadcast_sub(&largest)?.exp()?;
                exponentials
                    .broadcast_div(&exponentials.sum_keepdim(D::Minus1)?)?
                    .matmul(&value)?
                    .reshape((key_value_heads, group, queries, head_dim))?
                    .permute((2, 0, 1, 3))?
                    .reshape((queries, shape.heads * head_dim))
            },
        )
        .collect::<Result<Vec<_>>>()?;
    Tensor::cat(&outputs, 0)
}

/// Query rows that are multiplied at once: a block of scores stays in the second-level cache, and
/// keys behind the block's last row are never touched.
const QUERY_BLOCK: usize = 64;

struct CausalAttention {
    shape: AttentionShape,
}

/// One head of one sequence, restricted to a block of query rows.
#[derive(Clone, Copy)]
struct Block {
    /// First query row within the sequence.
    first: usize,
    rows: usize,
    /// Keys that the first row sees before itself.
    past: usize,
    /// Keys that the last row sees.
    keys: usize,
    /// Element offset of the block's first query feature from the storage's start.
    query: usize,
    /// Element offset of the head's first key feature.
    key: usize,
    /// Column of the head's first query feature in a query row.
    query_column: usize,
    /// Column of the head's first key feature in a key row.
    key_column: usize,
}

impl AttentionShape {
    fn blocks(&self, placed: Placed) -> impl Iterator<Item = Block> + '_ {
        let group = self.heads / self.key_value_heads;
        let Placed {
            segment,
            query_row,
            key_row,
        } = placed;
        (0..self.heads).flat_map(move |head| {
            (0..segment.queries).step_by(QUERY_BLOCK).map(move |first| {
                let rows = QUERY_BLOCK.min(segment.queries - first);
                let past = segment.past() + first;
                let (query_column, key_column) =
                    (head * self.head_dim, head / group * self.head_dim);
                Block {
                    first,
                    rows,
                    past,
                    keys: past + rows,
                    query: (query_row + first) * self.query_width() + query_column,
                    key: key_row * self.key_width() + key_column,
                    query_column,
                    key_column,
                }
            })
        })
    }

    /// Layout `[rows, head_dim]` of a block inside query-shaped storage.
    fn query_layout(&self, block: Block, start: usize) -> Layout {
        let dims = Shape::from((block.rows, self.head_dim));
        Layout::new(dims, vec![self.query_width(), 1], start + block.query)
    }

    /// Layout `[keys, head_dim]` of the block's visible keys inside key-shaped storage.
    fn key_layout(&self, block: Block, start: usize) -> Layout {
        let dims = Shape::from((block.keys, self.head_dim));
        Layout::new(dims, vec![self.key_width(), 1], start + block.key)
    }

    /// Cuts query-shaped storage into the sequences' parts.
    fn split_queries<'a>(&self, data: &'a mut [f32]) -> Vec<&'a mut [f32]> {
        let width = self.query_width();
        split(
            data,
            self.segments.iter().map(|segment| segment.queries * width),
        )
    }

    /// Cuts key-shaped storage into the sequences' parts.
    fn split_keys<'a>(&self, data: &'a mut [f32]) -> Vec<&'a mut [f32]> {
        let width = self.key_width();
        split(
            data,
            self.segments.iter().map(|segment| segment.keys * width),
        )
    }
}

fn split(mut data: &mut [f32], lengths: impl Iterator<Item = usize>) -> Vec<&mut [f32]> {
    let mut parts = Vec::new();
    for length in lengths {
        let (part, rest) = data.split_at_mut(length);
        parts.push(part);
        data = rest;
    }
    parts
}

/// `left right` for `[m, k]` and `[k, n]` layouts.
fn multiply(
    left: &CpuStorage,
    left_layout: &Layout,
    right: &CpuStorage,
    right_layout: &Layout,
) -> Result<CpuStorage> {
    let (m, k) = left_layout.shape().dims2()?;
    let (_, n) = right_layout.shape().dims2()?;
    left.matmul(right, (1, m, n, k), left_layout, right_layout)
}

/// The content of a product.
fn values(storage: &CpuStorage) -> Result<&[f32]> {
    storage.as_slice::<f32>()
}

/// A storage with its offset.
#[derive(Clone, Copy)]
struct Operand<'a> {
    storage: &'a CpuStorage,
    start: usize,
}

impl<'a> Operand<'a> {
    fn new(storage: &'a CpuStorage, layout: &Layout, name: &'static str) -> Result<Self> {
        if !layout.is_contiguous() || storage.dtype() != DType::F32 {
            bail!("{name} needs contiguous f32 inputs");
        }
        Ok(Self {
            storage,
            start: layout.start_offset(),
        })
    }
}

impl CausalAttention {
    const NAME: &'static str = "causal-attention";

    /// Attention weights `[rows, keys]` of a block, zero behind the diagonal.
    fn weights(&self, query: Operand<'_>, key: Operand<'_>, block: Block) -> Result<CpuStorage> {
        let shape = &self.shape;
        let query_layout = shape.query_layout(block, query.start);
        let key_layout = shape.key_layout(block, key.start).transpose(0, 1)?;
        let CpuStorage::F32(mut scores) =
            multiply(query.storage, &query_layout, key.storage, &key_layout)?
        else {
            bail!("{} needs f32 inputs", Self::NAME)
        };
        let scale = shape.scale();
        for (row, scores) in scores.chunks_exact_mut(block.keys).enumerate() {
            let (visible, hidden) = scores.split_at_mut(block.past + row + 1);
            let largest = maximum(visible) * scale;
            for score in visible.iter_mut() {
                *score = exp(*score * scale - largest);
            }
            let inverse = 1.0 / sum(visible);
            for score in visible.iter_mut() {
                *score *= inverse;
            }
            hidden.fill(0.0);
        }
        Ok(CpuStorage::F32(scores))
    }

    /// Writes the output of one sequence, `[queries, heads * head_dim]`.
    fn forward(
        &self,
        placed: Placed,
        [query, key, value]: [Operand<'_>; 3],
        out: &mut [f32],
    ) -> Result<()> {
        let shape = &self.shape;
        for block in shape.blocks(placed) {
            let weights = self.weights(query, key, block)?;
            let weights_layout = Layout::contiguous((block.rows, block.keys));
            let value_layout = shape.key_layout(block, value.start);
            let product = multiply(&weights, &weights_layout, value.storage, &value_layout)?;
            let rows = values(&product)?.chunks_exact(shape.head_dim);
            for (row, product) in (block.first..).zip(rows) {
                let start = row * shape.query_width() + block.query_column;
                out[start..start + shape.head_dim].copy_from_slice(product);
            }
        }
        Ok(())
    }

    /// Gradients of one sequence. With `P` the weights and `g` the output's gradient:
    /// `dV = P^T g`, `dS = P * (g V^T - rowsum(P * g V^T)) / sqrt(head_dim)`, `dQ = dS K`,
    /// `dK = dS^T Q`. `P` is computed again rather than kept.
    fn backward(
        &self,
        placed: Placed,
        [query, key, value, grad]: [Operand<'_>; 4],
        [dquery, dkey, dvalue]: [&mut [f32]; 3],
    ) -> Result<()> {
        let shape = &self.shape;
        let scale = shape.scale();
        for block in shape.blocks(placed) {
            let weights = self.weights(query, key, block)?;
            let layout = Layout::contiguous((block.rows, block.keys));
            let transposed = layout.transpose(0, 1)?;
            let grad_layout = shape.query_layout(block, grad.start);

            let value_layout = shape.key_layout(block, value.start).transpose(0, 1)?;
            let product = multiply(grad.storage, &grad_layout, value.storage, &value_layout)?;
            let CpuStorage::F32(mut dscores) = product else {
                bail!("{} needs f32 inputs", Self::NAME)
            };
            let rows = dscores
                .chunks_exact_mut(block.keys)
                .zip(values(&weights)?.chunks_exact(block.keys));
            for (dscores, weights) in rows {
                let mean = dot(dscores, weights);
                for (dscore, weight) in dscores.iter_mut().zip(weights) {
                    *dscore = weight * (*dscore - mean) * scale;
                }
            }
            let dscores = CpuStorage::F32(dscores);

            let key_layout = shape.key_layout(block, key.start);
            let product = multiply(&dscores, &layout, key.storage, &key_layout)?;
            let rows = values(&product)?.chunks_exact(shape.head_dim);
            for (row, product) in (block.first..).zip(rows) {
                let start = row * shape.query_width() + block.query_column;
                dquery[start..start + shape.head_dim].copy_from_slice(product);
            }

            let query_layout = shape.query_layout(block, query.start);
            let product = multiply(&dscores, &transposed, query.storage, &query_layout)?;
            add_key_rows(dkey, values(&product)?, shape, block);
            let product = multiply(&weights, &transposed, grad.storage, &grad_layout)?;
            add_key_rows(dvalue, values(&product)?, shape, block);
        }
        Ok(())
    }
}

/// Adds `[keys, head_dim]` to the head's columns of `[all keys, key_value_heads * head_dim]`.
fn add_key_rows(target: &mut [f32], rows: &[f32], shape: &AttentionShape, block: Block) {
    let targets = target.chunks_exact_mut(shape.key_width());
    for (target, row) in targets.zip(rows.chunks_exact(shape.head_dim)) {
        let target = &mut target[block.key_column..block.key_column + shape.head_dim];
        for (target, value) in target.iter_mut().zip(row) {
            *target += value;
        }
    }
}

impl CustomOp3 for CausalAttention {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cpu_fwd(
        &self,
        query: &CpuStorage,
        query_layout: &Layout,
        key: &CpuStorage,
        key_layout: &Layout,
        value: &CpuStorage,
        value_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let operands = [
            Operand::new(query, query_layout, Self::NAME)?,
            Operand::new(key, key_layout, Self::NAME)?,
            Operand::new(value, value_layout, Self::NAME)?,
        ];
        let mut out = vec![0f32; query_layout.shape().elem_count()];
        self.shape
            .placed()
            .zip(self.shape.split_queries(&mut out))
            .collect::<Vec<_>>()
            .into_par_iter()
            .try_for_each(|(placed, out)| self.forward(placed, operands, out))?;
        output(out, query_layout.shape())
    }

    fn bwd(
        &self,
        query: &Tensor,
        key: &Tensor,
        value: &Tensor,
        _out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let guards = [query, key, value, &grad].map(Tensor::storage_and_layout);
        let mut operands = Vec::with_capacity(guards.len());
        for (storage, layout) in &guards {
            let Storage::Cpu(storage) = &**storage else {
                bail!("{} expects tensors on the CPU", Self::NAME)
            };
            operands.push(Operand::new(storage, layout, Self::NAME)?);
        }
        let operands: [Operand<'_>; 4] = [operands[0], operands[1], operands[2], operands[3]];
        let shape = &self.shape;
        let mut dquery = vec![0f32; query.elem_count()];
        let mut dkey = vec![0f32; key.elem_count()];
        let mut dvalue = vec![0f32; value.elem_count()];
        let gradients = shape
            .split_queries(&mut dquery)
            .into_iter()
            .zip(shape.split_keys(&mut dkey))
            .zip(shape.split_keys(&mut dvalue));
        shape
            .placed()
            .zip(gradients)
            .collect::<Vec<_>>()
            .into_par_iter()
            .try_for_each(|(placed, ((dquery, dkey), dvalue))| {
                self.backward(placed, operands, [dquery, dkey, dvalue])
            })?;
        Ok((
            Some(gradient(dquery, query)?),
            Some(gradient(dkey, key)?),
            Some(gradient(dvalue, value)?),
        ))
    }
}
