//! The Shadow attack.
//!
//! X. Wang, P. Hu, J. Deng and J. W. Ma, *Adversarial Attacks on Data Attribution*, ICLR 2025, section 4:
//! the adversary knows the distribution and how models are trained. It trains shadow models on samples of
//! its own and moves its records by signed gradient ascent, labels kept, so that their mean influence over
//! the shadow models on shadow queries rises. The paper takes one step or a few of at most .03 and the
//! plain product of gradients as influence; here the ascent is longer, on the exact influence and on the
//! share of it that positive scores earn, and also on what the defences pay for.

use attribution_engine::influence::methods::Matrix;

use crate::{
    data::{Market, Records},
    network::{dot, widen, Architecture, Trainer},
    pay::Trained,
    random::Random,
    Result,
};

/// Shadow models.
const WORLDS: usize = 3;
/// Records of a shadow training set, beside the adversary's own.
const RECORDS: usize = 330;
const STEPS: usize = 12;
/// Records whose pay says what a place is worth.
const NEIGHBOURS: usize = 20;

/// What is ascended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// The share of the positive influence.
    Influence,
    /// The same of records whose gradients are divided by their norms, for defences that look at
    /// directions only.
    Direction,
}

struct World {
    trained: Trained,
    directions: Matrix,
    /// The sum of the positive scores of each query.
    totals: Vec<f64>,
    /// The records that are not the adversary's, and what each earns of one.
    others: Records,
    earned: Vec<f64>,
}

impl World {
    fn new(market: &Market, architecture: Architecture, random: &mut Random) -> Result<Self> {
        let order = random.order(market.pool.count());
        let (others, queries) = order.split_at(RECORDS);
        let others = market.pool.take(others);
        let records = others
            .clone()
            .followed_by(&market.train.take(&market.own()));
        let classes = market.train.classes();
        let all = (0..records.count() as u32).collect::<Vec<_>>();
        let network = Trainer::new(architecture, &records, classes)?.fit(&all)?;
        let trained = Trained::new(network, &records);
        let directions = trained.directions(&market.pool.take(queries))?;
        let scores = trained.products(&directions);
        let totals = scores
            .iter()
            .map(|scores| scores.iter().map(|score| score.max(0.0)).sum())
            .collect::<Vec<f64>>();
        let mut earned = vec![0.0; others.count()];
        for (scores, total) in scores.iter().zip(&totals) {
            for (earned, score) in earned.iter_mut().zip(scores) {
                *earned += score.max(0.0) / total;
            }
        }
        Ok(Self {
            trained,
            directions,
            totals,
            others,
            earned,
        })
    }

    /// The gradient by the input of what the record earns.
    fn ascent(&self, input: &[f64], label: u32, goal: Goal) -> Vec<f64> {
        let network = &self.trained.network;
        let gradient = network.gradient(input, label);
        let mut along = vec![0.0; gradient.len()];
        for (query, total) in self.totals.iter().enumerate() {
            let direction = self.directions.row(query);
            if dot(direction, &gradient) > 0.0 {
                for (along, value) in along.iter_mut().zip(direction) {
                    *along += value / total;
                }
            }
        }
        if goal == Goal::Direction {
            // The derivative of u·g/|g|: what of u is orthogonal to g, over |g|.
            let square = dot(&gradient, &gradient);
            let part = dot(&along, &gradient) / square;
            for (along, value) in along.iter_mut().zip(&gradient) {
                *along = (*along - part * value) / square.sqrt();
            }
        }
        network.input_gradient(input, label, &along)
    }

    /// What records of a label near a place earn on average.
    fn worth(&self, place: &[f64], label: u32) -> f64 {
        let mut near = (0..self.others.count())
            .filter(|other| self.others.labels[*other] == label)
            .map(|other| {
                let distance = place
                    .iter()
                    .zip(self.others.row(other))
                    .map(|(a, b)| (a - f64::from(*b)).powi(2))
                    .sum::<f64>();
                (distance, self.earned[other])
            })
            .collect::<Vec<_>>();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(NEIGHBOURS);
        near.iter().map(|(_, earned)| earned).sum::<f64>() / near.len().max(1) as f64
    }
}

/// A way to perturb the adversary's records.
pub(crate) struct ShadowAttack<'a> {
    market: &'a Market,
    worlds: Vec<World>,
}

impl<'a> ShadowAttack<'a> {
    pub(crate) fn new(market: &'a Market, architecture: Architecture, seed: u64) -> Result<Self> {
        let mut random = Random::new(seed, "shadow");
        let worlds = (0..WORLDS)
            .map(|_| World::new(market, architecture, &mut random))
            .collect::<Result<_>>()?;
        Ok(Self { market, worlds })
    }

    /// The adversary's records perturbed in several ways, among which an adversary that knows the
    /// defence takes the one that pays best: no coordinate moves by more than `epsilon`.
    pub(crate) fn candidates(&self, epsilon: f64) -> Vec<(&'static str, Records)> {
        let own = self.market.train.take(&self.market.own());
        let half = epsilon / 2.0;
        let placed = self.best_paid(&own, half);
        vec![
            ("influence, half", self.ascend(&own, half, Goal::Influence)),
            ("influence", self.ascend(&own, epsilon, Goal::Influence)),
            ("direction", self.ascend(&own, epsilon, Goal::Direction)),
            ("place", self.best_paid(&own, epsilon)),
            (
                "place and influence",
                self.ascend(&placed, half, Goal::Influence),
            ),
        ]
    }

    /// Projected ascent by the sign of the gradient (A. Madry et al., *Towards Deep Learning Models
    /// Resistant to Adversarial Attacks*, ICLR 2018) on the mean over the shadow models.
    fn ascend(&self, own: &Records, epsilon: f64, goal: Goal) -> Records {
        let step = 2.5 * epsilon / STEPS as f64;
        let mut moved = own.clone();
        for record in 0..own.count() {
            let start = widen(own.row(record));
            let mut here = start.clone();
            for _ in 0..STEPS {
                let mut ascent = vec![0.0; here.len()];
                for world in &self.worlds {
                    let part = world.ascent(&here, own.labels[record], goal);
                    ascent
                        .iter_mut()
                        .zip(part)
                        .for_each(|(sum, part)| *sum += part);
                }
                for ((value, ascent), start) in here.iter_mut().zip(&ascent).zip(&start) {
                    if *ascent != 0.0 {
                        let next = *value + step * ascent.signum();
                        *value = next.clamp(start - epsilon, start + epsilon).clamp(0.0, 1.0);
                    }
                }
            }
            narrow(&here, moved.row_mut(record));
        }
        moved
    }

    /// Moves each record towards the place within reach whose neighbours earn most: what a defence that
    /// pays by neighbours is attacked with.
    fn best_paid(&self, own: &Records, epsilon: f64) -> Records {
        let world = &self.worlds[0];
        let mut moved = own.clone();
        for record in 0..own.count() {
            let start = widen(own.row(record));
            let label = own.labels[record];
            let mut best = (world.worth(&start, label), start.clone());
            for other in 0..world.others.count() {
                if world.others.labels[other] != label {
                    continue;
                }
                let place = start
                    .iter()
                    .zip(world.others.row(other))
                    .map(|(value, to)| value + (f64::from(*to) - value).clamp(-epsilon, epsilon))
                    .collect::<Vec<_>>();
                let worth = world.worth(&place, label);
                if worth > best.0 {
                    best = (worth, place);
                }
            }
            narrow(&best.1, moved.row_mut(record));
        }
        moved
    }
}

/// As features are stored.
pub(crate) fn narrow(values: &[f64], out: &mut [f32]) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = *value as f32;
    }
}
