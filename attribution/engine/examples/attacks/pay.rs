//! What a trained model's records earn: influence scores, then shares.

use attribution_engine::{
    duplicates::Standing,
    influence::{
        methods::{Curvature, DampedFisher, Damping, Layers, Matrix, Rows},
        quantise_query, IndexBuilder, Preconditioner, Quantisation, DAMPING,
    },
    projection::Projection,
    shares::record_shares,
};
use attribution_proof::{
    influence::{dot, is_eligible, norm_squared, query_norm_squared, score, CosineFloor, Row},
    split::BILLION,
};

use crate::{
    data::Records,
    network::{Network, PENALTY},
    Result,
};

/// Coordinates of a row of PoA's index here: fewer than the models have parameters.
const DIMENSION: u32 = 512;
/// Credits and cosine floor of a receipt.
const TOP: usize = 64;
const FLOOR: CosineFloor = CosineFloor {
    numerator: 1,
    denominator: 100,
};

/// How influence is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Exact influence with the Gauss-Newton matrix; every positive score is paid.
    Exact,
    /// PoA: projected rows in eight bits with a scale, preconditioned by their own Fisher matrix; the
    /// best rows over the cosine floor are paid.
    Index,
    /// The same with every gradient divided by its norm first.
    Normalised,
}

impl Method {
    pub(crate) const ALL: [Self; 3] = [Self::Exact, Self::Index, Self::Normalised];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact influence, Gauss-Newton",
            Self::Index => "PoA's index, with the row's scale",
            Self::Normalised => "PoA's index, without the row's scale",
        }
    }
}

/// Scores of all records for some queries.
pub(crate) struct Scores {
    /// `q x n`, as they predict outputs.
    pub(crate) signed: Matrix,
    /// Which of them may be paid.
    eligible: Vec<bool>,
    /// How many are paid for each query.
    top: usize,
}

impl Scores {
    pub(crate) fn count(&self) -> usize {
        self.signed.columns()
    }

    pub(crate) fn queries(&self) -> usize {
        self.signed.rows()
    }

    /// What each record earns of one, on average over the queries, when its scores are transformed.
    pub(crate) fn earned(
        &self,
        transform: impl Fn(&[f64]) -> Result<Vec<f64>>,
    ) -> Result<Vec<f64>> {
        let n = self.count();
        let standings = vec![Standing::Own; n];
        let mut sums = vec![0.0; n];
        let mut paid = 0.0;
        for query in 0..self.queries() {
            let eligible = &self.eligible[query * n..][..n];
            let mut scores = transform(self.signed.row(query))?
                .into_iter()
                .zip(eligible)
                .map(|(score, eligible)| if *eligible { score } else { 0.0 })
                .collect::<Vec<_>>();
            if self.top < n {
                let mut order = (0..n).collect::<Vec<_>>();
                order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
                order[self.top..]
                    .iter()
                    .for_each(|other| scores[*other] = 0.0);
            }
            for (sum, parts) in sums
                .iter_mut()
                .zip(record_shares(&scores, &standings, None)?)
            {
                *sum += f64::from(parts) / f64::from(BILLION);
            }
            paid += f64::from(u8::from(scores.iter().any(|score| *score > 0.0)));
        }
        sums.iter_mut().for_each(|sum| *sum /= paid);
        Ok(sums)
    }
}

/// A model, its gradients and its curvature.
pub(crate) struct Trained {
    pub(crate) network: Network,
    gradients: Vec<f32>,
    curvature: Vec<f32>,
    records: usize,
}

impl Trained {
    pub(crate) fn new(network: Network, records: &Records) -> Self {
        Self {
            gradients: network.gradients(records),
            curvature: network.curvature(records),
            records: records.count(),
            network,
        }
    }

    fn damping(&self) -> Damping {
        Damping::Absolute(PENALTY / self.records as f64)
    }

    fn rows<'a>(&self, values: &'a [f32]) -> Result<Rows<'a>> {
        let columns = self.network.parameter_count();
        Ok(Rows::new(values, values.len() / columns, columns)?)
    }

    fn fisher<'a>(&'a self, train: Rows<'a>) -> Result<DampedFisher<'a>> {
        let curvature = Curvature::new(self.rows(&self.curvature)?, self.records)?;
        let layers = Layers::one(train.columns())?;
        Ok(DampedFisher::new(
            train,
            curvature,
            &layers,
            self.damping(),
        )?)
    }

    /// Directions `(1/n) (F + λI)⁻¹ v` of some queries, `q x P`: the scores of the unit vectors, which
    /// are told apart from training records only by their number.
    pub(crate) fn directions(&self, queries: &Records) -> Result<Matrix> {
        let count = self.network.parameter_count();
        let mut identity = vec![0.0_f32; count * count];
        identity
            .iter_mut()
            .step_by(count + 1)
            .for_each(|value| *value = 1.0);
        let queries = self.network.gradients(queries);
        let scores = self
            .fisher(self.rows(&identity)?)?
            .scores(self.rows(&queries)?)?;
        let factor = count as f64 / self.records as f64;
        let values = scores.values().iter().map(|value| factor * value).collect();
        Ok(Matrix::new(values, scores.rows(), count)?)
    }

    /// `directions · gradients`, one list of scores for each direction.
    pub(crate) fn products(&self, directions: &Matrix) -> Vec<Vec<f64>> {
        (0..directions.rows())
            .map(|query| {
                let along = directions.row(query);
                self.gradients
                    .chunks_exact(along.len())
                    .map(|gradient| {
                        let terms = gradient.iter().zip(along);
                        terms.map(|(value, along)| f64::from(*value) * along).sum()
                    })
                    .collect()
            })
            .collect()
    }

    /// Exact scores for each list of queries, and each record's self-influence.
    pub(crate) fn exact(&self, queries: [&Records; 2]) -> Result<([Scores; 2], Vec<f64>)> {
        let fisher = self.fisher(self.rows(&self.gradients)?)?;
        let scores = |queries: &Records| -> Result<Scores> {
            let gradients = self.network.gradients(queries);
            let signed = fisher.scores(self.rows(&gradients)?)?;
            Ok(Scores {
                eligible: vec![true; signed.values().len()],
                top: signed.columns(),
                signed,
            })
        };
        Ok((
            [scores(queries[0])?, scores(queries[1])?],
            fisher.self_influence()?,
        ))
    }

    /// Scores of PoA's index for each list of queries.
    pub(crate) fn index(&self, queries: [&Records; 2], normalised: bool) -> Result<[Scores; 2]> {
        let projection = Projection::new(
            &[7; 32],
            self.network.parameter_count(),
            DIMENSION as usize,
            8,
        )?;
        let mut builder = IndexBuilder::new(
            Quantisation::for_dimension(DIMENSION),
            vec![Standing::Own; self.records],
        )?;
        let rows = self.gradients.chunks_exact(self.network.parameter_count());
        for (row, gradient) in (0..).zip(rows) {
            let mut projected = projection.project(gradient)?;
            if normalised {
                let norm = projected
                    .iter()
                    .map(|value| value * value)
                    .sum::<f32>()
                    .sqrt();
                if norm > 0.0 {
                    projected.iter_mut().for_each(|value| *value /= norm);
                }
            }
            builder.set(row, &projected)?;
        }
        let (index, _) = builder.finish()?;
        let preconditioner = Preconditioner::new(&index, DAMPING)?;
        let rows = (0..index.len() as u32)
            .map(|row| index.row(row))
            .collect::<Vec<_>>();
        let scores = |queries: &Records| -> Result<Scores> {
            let mut signed = Vec::with_capacity(queries.count() * rows.len());
            let mut eligible = Vec::with_capacity(queries.count() * rows.len());
            let gradients = self.network.gradients(queries);
            for gradient in gradients.chunks_exact(self.network.parameter_count()) {
                let direction = preconditioner.direction(&projection.project(gradient)?)?;
                let query = quantise_query(&[(1, &direction)])?;
                let query = query.vector(1).ok_or("a query without its vector")?;
                let norm = query_norm_squared(query);
                for row in &rows {
                    let Some(Row::Own { scale, g }) = row else {
                        signed.push(0.0);
                        eligible.push(false);
                        continue;
                    };
                    let product = dot(query, g);
                    signed.push(score(*scale, product) as f64);
                    eligible.push(is_eligible(product, norm, norm_squared(g), FLOOR));
                }
            }
            Ok(Scores {
                signed: Matrix::new(signed, queries.count(), rows.len())?,
                eligible,
                top: TOP,
            })
        };
        Ok([scores(queries[0])?, scores(queries[1])?])
    }
}
