//! The Outlier attack.
//!
//! X. Wang, P. Hu, J. Deng and J. W. Ma, *Adversarial Attacks on Data Attribution*, ICLR 2025, section 5:
//! the adversary knows nothing but what the served model answers. Records that the model gets wrong are
//! influential, so the adversary turns its own into adversarial examples, labels kept, by a black-box
//! attack on the model of the round before.

use crate::{
    data::Records,
    network::{widen, Network},
    random::Random,
    shadow::narrow,
};

const STEPS: usize = 10;
/// Distance of the two answers that a slope is taken from.
const PROBE: f64 = 1e-3;

/// The adversary's records perturbed in several ways, among which an adversary that knows the defence
/// takes the one that pays best: no coordinate moves by more than `epsilon`.
pub(crate) fn candidates(
    served: &Network,
    own: &Records,
    epsilon: f64,
    seed: u64,
) -> Vec<(&'static str, Records)> {
    let mut random = Random::new(seed, "outlier");
    vec![
        (
            "SimBA, half",
            simba(served, own, epsilon / 2.0, &mut random),
        ),
        ("SimBA", simba(served, own, epsilon, &mut random)),
        ("slopes", slopes(served, own, epsilon, 0.0)),
        ("slopes to the boundary", slopes(served, own, epsilon, 0.5)),
    ]
}

/// SimBA (C. Guo et al., *Simple Black-box Adversarial Attacks*, ICML 2019): coordinate by coordinate in
/// random order, whichever step makes the right class less probable is kept.
fn simba(served: &Network, own: &Records, epsilon: f64, random: &mut Random) -> Records {
    let mut moved = own.clone();
    for record in 0..own.count() {
        let label = own.labels[record] as usize;
        let mut here = widen(own.row(record));
        let mut probability = served.probabilities(&here)[label];
        for coordinate in random.order(here.len()) {
            let coordinate = coordinate as usize;
            let before = here[coordinate];
            for step in [epsilon, -epsilon] {
                here[coordinate] = (before + step).clamp(0.0, 1.0);
                let next = served.probabilities(&here)[label];
                if next < probability {
                    probability = next;
                    break;
                }
                here[coordinate] = before;
            }
        }
        narrow(&here, moved.row_mut(record));
    }
    moved
}

/// Projected ascent on the loss by the sign of slopes that are differences of two answers each (P.-Y. Chen
/// et al., *ZOO: Zeroth Order Optimization Based Black-box Attacks*, AISec 2017), until the right class's
/// probability is below `enough`.
fn slopes(served: &Network, own: &Records, epsilon: f64, enough: f64) -> Records {
    let step = 2.5 * epsilon / STEPS as f64;
    let mut moved = own.clone();
    for record in 0..own.count() {
        let label = own.labels[record] as usize;
        let start = widen(own.row(record));
        let mut here = start.clone();
        for _ in 0..STEPS {
            if served.probabilities(&here)[label] <= enough {
                break;
            }
            let mut probe = here.clone();
            let signs = (0..here.len())
                .map(|coordinate| {
                    let mut answer = |value: f64| {
                        probe[coordinate] = value;
                        served.probabilities(&probe)[label]
                    };
                    let value = here[coordinate];
                    let slope = answer(value - PROBE) - answer(value + PROBE);
                    probe[coordinate] = value;
                    if slope == 0.0 {
                        0.0
                    } else {
                        slope.signum()
                    }
                })
                .collect::<Vec<_>>();
            for ((value, sign), start) in here.iter_mut().zip(signs).zip(&start) {
                let next = *value + step * sign;
                *value = next.clamp(start - epsilon, start + epsilon).clamp(0.0, 1.0);
            }
        }
        narrow(&here, moved.row_mut(record));
    }
    moved
}
