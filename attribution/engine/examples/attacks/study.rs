//! One seed of the study: the honest round, both attacks, every method and defence.

use attribution_engine::influence::methods::{
    evaluate::{linear_datamodelling_score, spearman, Outcome},
    Matrix,
};

use crate::{
    data::{owner_sums, Market, Records, Sizes},
    defences::{Armed, Defence, Evidence},
    network::{Architecture, Network, Trainer},
    outlier,
    pay::{Method, Scores, Trained},
    random::Random,
    shadow::ShadowAttack,
    Result,
};

/// Retrained models of the linear datamodelling score.
const SUBSETS: usize = 50;

/// A data set, a model and how far the adversary may move a feature.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) records: Records,
    pub(crate) sizes: Sizes,
    pub(crate) architecture: Architecture,
    pub(crate) epsilon: f64,
}

/// What a method with a defence came to in one seed.
pub(crate) struct Figures {
    /// Gain of the adversary's share by the best variant of each attack, and its name.
    pub(crate) shadow: (f64, &'static str),
    pub(crate) outlier: (f64, &'static str),
    /// Rank correlation of the honest owners' shares with the undefended ones, and of their shares for
    /// each record.
    pub(crate) spearman: f64,
    pub(crate) spearman_per_record: f64,
    pub(crate) lds: Option<f64>,
}

/// One seed's results.
pub(crate) struct Study {
    /// By method, then by defence in the order of [`Defence::all`].
    pub(crate) figures: Vec<Vec<Figures>>,
    /// Of a payout by number of records, for each method.
    pub(crate) uniform: Vec<f64>,
    pub(crate) accuracy: f64,
    /// Part of the records that is the adversary's.
    pub(crate) part: f64,
}

/// Scores of one training set by one method, for reference queries and for queries that pay.
struct Priced<'a> {
    records: &'a Records,
    scores: Vec<[Scores; 2]>,
    self_influence: Vec<f64>,
}

impl<'a> Priced<'a> {
    fn new(market: &Market, network: Network, records: &'a Records) -> Result<Self> {
        let trained = Trained::new(network, records);
        let queries = [&market.reference, &market.queries];
        let (exact, self_influence) = trained.exact(queries)?;
        Ok(Self {
            records,
            scores: vec![
                exact,
                trained.index(queries, false)?,
                trained.index(queries, true)?,
            ],
            self_influence,
        })
    }

    fn armed(&self, market: &Market, method: usize, defence: Defence) -> Result<Armed> {
        Armed::new(
            defence,
            &Evidence {
                records: self.records,
                owners: &market.owners,
                adversary: market.adversary,
                reference: &self.scores[method][0],
                self_influence: &self.self_influence,
            },
        )
    }

    /// The owners' shares.
    fn shares(&self, market: &Market, method: usize, defence: Defence) -> Result<Vec<f64>> {
        let armed = self.armed(market, method, defence)?;
        let earned = self.scores[method][1].earned(|scores| armed.apply(scores))?;
        Ok(owner_sums(&market.owners, &earned))
    }
}

impl Study {
    pub(crate) fn run(setting: &Setting, seed: u64, with_lds: bool) -> Result<Self> {
        let market = Market::draw(&setting.records, setting.sizes, seed);
        let classes = setting.records.classes();
        let all = (0..market.train.count() as u32).collect::<Vec<_>>();
        let trainer = Trainer::new(setting.architecture, &market.train, classes)?;
        let served = trainer.fit(&all)?;
        let accuracy = served.accuracy(&market.queries);

        let own = market.train.take(&market.own());
        let shadow = ShadowAttack::new(&market, setting.architecture, seed)?;
        let shadow = shadow.candidates(setting.epsilon);
        let outlier = outlier::candidates(&served, &own, setting.epsilon, seed);

        let retrained = if with_lds {
            Some(Retrained::new(&market, &trainer, seed)?)
        } else {
            None
        };
        let honest = Priced::new(&market, served, &market.train)?;
        let defences = Defence::all();
        let adversary = market.adversary as usize;
        let mut baselines = Vec::new();
        let mut figures = Vec::new();
        let mut uniform = Vec::new();
        let counts = owner_sums(&market.owners, &vec![1.0; market.owners.len()]);
        let others = |shares: &[f64]| {
            let mut others = shares.to_vec();
            others.remove(adversary);
            others
        };
        let per_record = |shares: &[f64]| {
            let rates = shares
                .iter()
                .zip(&counts)
                .map(|(share, count)| share / count);
            others(&rates.collect::<Vec<_>>())
        };
        let correlation = |a: &[f64], b: &[f64]| spearman(a, b).ok_or("shares are all equal");
        for method in 0..Method::ALL.len() {
            let undefended = honest.shares(&market, method, Defence::None)?;
            uniform.push(correlation(&others(&counts), &others(&undefended))?);
            let mut shares_of = Vec::new();
            let mut row = Vec::new();
            for defence in &defences {
                let shares = honest.shares(&market, method, *defence)?;
                let lds = match &retrained {
                    None => None,
                    Some(retrained) => {
                        let armed = honest.armed(&market, method, *defence)?;
                        let scores = &honest.scores[method][1].signed;
                        Some(retrained.lds(&armed.apply_all(scores)?)?)
                    }
                };
                row.push(Figures {
                    shadow: (f64::NEG_INFINITY, ""),
                    outlier: (f64::NEG_INFINITY, ""),
                    spearman: correlation(&others(&shares), &others(&undefended))?,
                    spearman_per_record: correlation(
                        &per_record(&shares),
                        &per_record(&undefended),
                    )?,
                    lds,
                });
                shares_of.push(shares[adversary]);
            }
            baselines.push(shares_of);
            figures.push(row);
        }
        drop(honest);

        let attacks = shadow
            .iter()
            .map(|attack| (true, attack))
            .chain(outlier.iter().map(|attack| (false, attack)));
        for (is_shadow, (name, perturbed)) in attacks {
            let records = market.with_own(perturbed);
            let network = Trainer::new(setting.architecture, &records, classes)?.fit(&all)?;
            let priced = Priced::new(&market, network, &records)?;
            for (method, row) in figures.iter_mut().enumerate() {
                for (at, defence) in defences.iter().enumerate() {
                    let share = priced.shares(&market, method, *defence)?[adversary];
                    let gain = share / baselines[method][at] - 1.0;
                    let figures = &mut row[at];
                    let best = if is_shadow {
                        &mut figures.shadow
                    } else {
                        &mut figures.outlier
                    };
                    if gain > best.0 {
                        *best = (gain, name);
                    }
                }
            }
        }
        Ok(Self {
            figures,
            uniform,
            accuracy,
            part: own.count() as f64 / market.train.count() as f64,
        })
    }
}

/// Models trained on random halves, and what they answer.
struct Retrained {
    subsets: Vec<Vec<u32>>,
    outputs: Matrix,
}

impl Retrained {
    fn new(market: &Market, trainer: &Trainer<'_>, seed: u64) -> Result<Self> {
        let mut random = Random::new(seed, "subsets");
        let count = market.train.count();
        let queries = market.queries.count();
        let mut outputs = vec![0.0; queries * SUBSETS];
        let mut subsets = Vec::with_capacity(SUBSETS);
        for number in 0..SUBSETS {
            let mut subset = random.order(count);
            subset.truncate(count / 2);
            subset.sort_unstable();
            let answers = trainer.fit(&subset)?.log_odds(&market.queries);
            for (query, answer) in answers.into_iter().enumerate() {
                outputs[query * SUBSETS + number] = answer;
            }
            subsets.push(subset);
        }
        Ok(Self {
            subsets,
            outputs: Matrix::new(outputs, queries, SUBSETS)?,
        })
    }

    fn lds(&self, scores: &Matrix) -> Result<f64> {
        let outcome = Outcome::Utility;
        Ok(linear_datamodelling_score(scores, &self.subsets, &self.outputs, outcome)?.mean)
    }
}
