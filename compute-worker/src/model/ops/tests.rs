use super::*;
use candle_core::Var;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::sync::Arc;

/// Uniform values in (-1, 1).
fn random(seed: u64, shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..shape.elem_count())
        .map(|_| (generator.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0)
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn variable(seed: u64, shape: impl Into<Shape>) -> Var {
    Var::from_tensor(&random(seed, shape)).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_close(left: &Tensor, right: &Tensor, what: &str) {
    assert_eq!(left.dims(), right.dims(), "{what}");
    let (left, right) = (flat(left), flat(right));
    let largest = right.iter().fold(0f32, |a, b| a.max(b.abs()));
    assert!(
        largest > 0.0,
        "{what} is all zero: the comparison would prove nothing"
    );
    for (left, right) in left.iter().zip(&right) {
        assert!(
            (left - right).abs() <= 2e-5 * largest.max(1.0),
            "{what}: {left} and {right}"
        );
    }
}

/// The fused operation and the composed one agree, in value and in every gradient.
fn assert_same<const N: usize>(
    inputs: [&Var; N],
    fused: impl Fn() -> Result<Tensor>,
    composed: impl Fn() -> Result<Tensor>,
) {
    let (fused, composed) = (fused().unwrap(), composed().unwrap());
    assert_close(&fused, &composed, "value");
    let weights = random(99, fused.shape());
    let backward = |y: &Tensor| {
        y.mul(&weights)
            .unwrap()
            .sum_all()
            .unwrap()
            .backward()
            .unwrap()
    };
    let (fused, composed) = (backward(&fused), backward(&composed));
    for (index, input) in inputs.into_iter().enumerate() {
        let gradient = |store: &candle_core::backprop::GradStore| {
            store
                .get(input)
                .unwrap_or_else(|| panic!("input {index} has no gradient"))
                .clone()
        };
        assert_close(
            &gradient(&fused),
            &gradient(&composed),
            &format!("gradient {index}"),
        );
    }
}

#[test]
fn exponential_is_accurate() {
    for i in -8_700..8_800 {
        let x = i as f32 / 100.0;
        let (ours, exact) = (f64::from(exp(x)), f64::from(x).exp());
        assert!(
            (ours / exact - 1.0).abs() < 3e-7,
            "exp({x}) = {ours}, not {exact}"
        );
    }
    assert_eq!(exp(0.0), 1.0);
    assert_eq!(exp(f32::NEG_INFINITY), exp(-87.0));
}

#[test]
fn sums_and_maxima_cover_the_tail() {
    for length in [0, 1, 15, 16, 17, 40] {
        let values: Vec<f32> = (0..length).map(|i| i as f32).collect();
        assert_eq!(sum(&values), values.iter().sum::<f32>());
        assert_eq!(
            dot(&values, &values),
            values.iter().map(|v| v * v).sum::<f32>()
        );
        let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!(maximum(&values), largest);
    }
}

#[test]
fn rms_norm_matches_composition() {
    let (x, weight) = (variable(1, (130, 24)), variable(2, 24));
    assert_same(
        [&x, &weight],
        || rms_norm(&x, &weight, 1e-5),
        || normalization::composed(&x, &weight, 1e-5),
    );
}

#[test]
fn silu_mul_matches_composition() {
    let (gate, up) = (variable(3, (70, 300)), variable(4, (70, 300)));
    assert_same(
        [&gate, &up],
        || silu_mul(&gate, &up),
        || activation::composed(&gate, &up),
    );
}

#[test]
fn rotary_matches_composition() {
    let table = RotaryTable::new(40, 8, 10_000.0);
    let x = variable(5, (3 * 33, 4 * 8));
    let positions: Arc<[usize]> = (0..99).map(|row| 5 + row % 33).collect();
    assert_same(
        [&x],
        || rotary(&x, &table, &positions),
        || rotary::composed(&x, &table, &positions),
    );
}

#[test]
fn negative_log_likelihood_matches_composition() {
    let logits = variable(6, (70, 37));
    let targets: Arc<[u32]> = (0..70u32).map(|i| i * 7 % 37).collect();
    assert_same(
        [&logits],
        || negative_log_likelihood(&logits, &targets),
        || loss::composed(&logits, &targets),
    );
}

#[test]
fn negative_log_likelihood_refuses_bad_targets() {
    let logits = random(6, (2, 5));
    let outside = negative_log_likelihood(&logits, &Arc::from([1, 5]))
        .unwrap_err()
        .to_string();
    assert!(
        outside.contains("target 5 is outside the vocabulary of 5 tokens"),
        "{outside}"
    );
    let count = negative_log_likelihood(&logits, &Arc::from([1]))
        .unwrap_err()
        .to_string();
    assert!(count.contains("2 rows of logits for 1 targets"), "{count}");
}

fn attention_shape(segments: &[(usize, usize)]) -> AttentionShape {
    let segments = segments
        .iter()
        .map(|&(queries, keys)| Segment { queries, keys })
        .collect();
    AttentionShape {
        segments,
        heads: 4,
        key_value_heads: 2,
        head_dim: 8,
    }
}

#[test]
fn attention_matches_composition() {
    for segments in [
        &[(70, 70), (1, 1), (130, 130)][..],
        &[(1, 9)],
        &[(66, 80), (3, 5)],
    ] {
        let shape = attention_shape(segments);
        let queries: usize = segments.iter().map(|segment| segment.0).sum();
        let keys: usize = segments.iter().map(|segment| segment.1).sum();
        let query = variable(7, (queries, 32));
        let (key, value) = (variable(8, (keys, 16)), variable(9, (keys, 16)));
        assert_same(
            [&query, &key, &value],
            || attention(&query, &key, &value, &shape),
            || attention::composed(&query, &key, &value, &shape),
        );
    }
}

#[test]
fn attention_refuses_wrong_shapes() {
    let (query, key) = (random(1, (4, 32)), random(2, (5, 16)));
    attention(&query, &key, &key, &attention_shape(&[(4, 5)])).unwrap();
    for segments in [&[(4, 4)][..], &[(3, 5)], &[(5, 4)], &[(4, 5), (1, 1)]] {
        assert!(attention(&query, &key, &key, &attention_shape(segments)).is_err());
    }
}

#[test]
fn linear_matches_matmul() {
    let (x, weight) = (variable(10, (20, 12)), variable(11, (7, 12)));
    assert_same(
        [&x, &weight],
        || linear(&x, &weight),
        || x.matmul(&weight.t()?),
    );
}

#[test]
fn frozen_linear_gives_no_gradient_to_its_weight() {
    let (x, weight) = (variable(10, (20, 12)), random(11, (7, 12)));
    assert_same([&x], || linear(&x, &weight), || x.matmul(&weight.t()?));
    let grads = linear(&x, &weight)
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .unwrap();
    assert!(grads.get(&weight).is_none());
}

#[test]
fn low_rank_linear_matches_its_definition() {
    let (x, weight) = (variable(12, (20, 12)), random(13, (7, 12)));
    let (a, b) = (variable(14, (3, 12)), variable(15, (7, 3)));
    assert_same(
        [&x, &a, &b],
        || low_rank_linear(&x, &weight, &a, &b, 2.5),
        || x.matmul(&weight.t()?)? + (x.matmul(&a.t()?)?.matmul(&b.t()?)? * 2.5)?,
    );
}

#[test]
fn tape_holds_what_the_weight_gradient_needs() {
    let (x, weight) = (variable(10, (20, 12)), variable(11, (7, 12)));
    let tape = Arc::new(Tape::default());
    let backward = |y: Tensor| y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
    backward(tapped_linear(&x, &weight, &tape, 3).unwrap());
    let entry = tape.take().remove(&3).unwrap();
    let from_tape = entry
        .output_gradient
        .t()
        .unwrap()
        .matmul(&entry.input)
        .unwrap();
    let expected = backward(linear(&x, &weight).unwrap());
    assert_close(
        &from_tape,
        expected.get(&weight).unwrap(),
        "weight gradient",
    );
    assert!(tape.take().is_empty());
}
