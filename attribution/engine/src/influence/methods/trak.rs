//! TRAK: several models, linearised in their outputs.

use super::{
    evaluate::{check_records, spearman, subset_sums},
    fisher::{Curvature, DampedFisher, Damping},
    rows::{check_positive, Layers, Matrix, Rows},
};
use crate::Error;

/// One model of an ensemble.
#[derive(Clone, Copy, Debug)]
pub struct TrakModel<'a> {
    /// Gradients of the model's *output* for the training records, usually projected: `Φ`, `n x k`.
    /// The output of a classifier is `f = log(p / (1 − p))` with the probability `p` of the right
    /// class.
    pub features: Rows<'a>,
    /// `Q_i = −∂loss/∂f`, which is `1 − p_i` for a classifier.
    pub misses: &'a [f64],
}

/// TRAK: `τ_i = [(1/M) Σ_m φ_m(query)ᵀ (Φ_mᵀΦ_m + λI)⁻¹ φ_m,i] · [(1/M) Σ_m Q_m,i]`, the rise of the
/// query's output that is owed to the record, in units of the output.
///
/// S. M. Park et al., *TRAK: Attributing Model Behavior at Scale*, ICML 2023; the two factors are
/// averaged by themselves and multiplied afterwards, as there (section 3, step 5). The ridge is
/// relative to the mean eigenvalue, `λ = ridge · tr(ΦᵀΦ) / k`; the paper has none, but the right one
/// matters more than the number of models, and [`select_ridge`] finds it. Features are gradients of
/// outputs that should be high and misses are not negative, so positive means that the record helps,
/// as everywhere; query features are used as they are, not negated.
///
/// Cost per model: `n k² + k³/3` once, or `n² k + n³/3` where `n < k`; `n k` per query.
pub struct Trak<'a> {
    models: Vec<DampedFisher<'a>>,
    misses: Vec<f64>,
}

impl<'a> Trak<'a> {
    /// Factorises the feature matrices of all models.
    ///
    /// # Errors
    /// When there are no models, their numbers of records differ, a miss is negative or not finite, a
    /// ridge is not positive and finite, or as [`DampedFisher::new`].
    pub fn new(models: &[TrakModel<'a>], ridge: f64) -> Result<Self, Error> {
        check_positive("number of models", models.len())?;
        let n = models[0].features.rows();
        let mut misses = vec![0.0; n];
        for model in models {
            Error::check_shape("list of features of a model", model.features.rows(), n)?;
            Error::check_shape("list of misses of a model", model.misses.len(), n)?;
            for (mean, miss) in misses.iter_mut().zip(model.misses) {
                if !(*miss >= 0.0 && miss.is_finite()) {
                    return Err(Error::parameter("miss", miss, "finite and not negative"));
                }
                *mean += miss / models.len() as f64;
            }
        }
        let models = models
            .iter()
            .map(|model| {
                DampedFisher::new(
                    model.features,
                    Curvature::empirical(model.features),
                    &Layers::one(model.features.columns())?,
                    Damping::Relative(ridge),
                )
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { models, misses })
    }

    /// Scores `q x n`, given the query features of each model, `q x k`.
    ///
    /// # Errors
    /// When there is not one matrix for each model, their shapes differ, or there is no memory for the
    /// scores.
    pub fn scores(&self, queries: &[Rows<'_>]) -> Result<Matrix, Error> {
        let count = self.models.len();
        Error::check_shape("list of query features per model", queries.len(), count)?;
        let mut scores = Matrix::zeros(queries[0].rows(), self.misses.len())?;
        for (model, features) in self.models.iter().zip(queries) {
            let rows = queries[0].rows();
            Error::check_shape("list of query features", features.rows(), rows)?;
            scores.add(&model.scores(*features)?);
        }
        for row in scores.values_mut().chunks_exact_mut(self.misses.len()) {
            for (score, miss) in row.iter_mut().zip(&self.misses) {
                *score *= miss / count as f64;
            }
        }
        Ok(scores)
    }
}

/// What the models of an ensemble say about training records that they were not trained on.
#[derive(Clone, Copy, Debug)]
pub struct HeldOutOutputs<'a> {
    /// The records that each model was trained on.
    pub subsets: &'a [Vec<u32>],
    /// Each model's output for each training record, `M x n`.
    pub outputs: &'a Matrix,
    /// The training records that are predicted; a few hundred, spread over the data, are enough.
    pub records: &'a [u32],
}

/// A ridge for [`Trak`] and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct RidgeSelection {
    /// The ridge of the candidates with the highest agreement, the first of equal ones.
    pub ridge: f64,
    /// The agreement of each candidate, in their order.
    pub agreements: Vec<f64>,
}

/// Chooses the ridge of [`Trak`] without ground truth from outside the ensemble.
///
/// TRAK trains its models on random subsets. Each candidate's scores, with training records as the
/// queries, predict the output that model `m` gives to record `j` as `Σ_{i ∈ S_m} τ_i(j)`. The
/// agreement is the Spearman correlation of predicted and actual outputs over those models that did
/// not see `j`, averaged over the records that at least three such models are left for. Models that saw
/// `j` are left out since there the influence of `j` on itself decides, which no query has.
///
/// Cost: that of [`Trak`] with `records` as queries, for each candidate.
///
/// # Errors
/// When shapes differ, there are no candidates, a record or subset names an unknown record or one
/// twice, no record is left out by three models whose outputs for it vary, or as [`Trak::new`].
pub fn select_ridge(
    models: &[TrakModel<'_>],
    held_out: &HeldOutOutputs<'_>,
    candidates: &[f64],
) -> Result<RidgeSelection, Error> {
    check_positive("number of models", models.len())?;
    check_positive("number of candidate ridges", candidates.len())?;
    let HeldOutOutputs {
        subsets,
        outputs,
        records,
    } = *held_out;
    let n = models[0].features.rows();
    check_positive("number of records to predict", records.len())?;
    check_records(records, n)?;
    Error::check_shape("list of subsets per model", subsets.len(), models.len())?;
    Error::check_shape("list of models with outputs", outputs.rows(), models.len())?;
    Error::check_shape("list of outputs per model", outputs.columns(), n)?;
    let mut unseen = vec![Vec::new(); n];
    for (model, subset) in subsets.iter().enumerate() {
        check_records(subset, n)?;
        let mut seen = vec![false; n];
        for record in subset {
            seen[*record as usize] = true;
        }
        for record in records.iter().filter(|record| !seen[**record as usize]) {
            unseen[*record as usize].push(model);
        }
    }
    let features = models
        .iter()
        .map(|model| {
            records
                .iter()
                .flat_map(|record| model.features.row(*record as usize))
                .copied()
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
    let queries = models
        .iter()
        .zip(&features)
        .map(|(model, features)| Rows::new(features, records.len(), model.features.columns()))
        .collect::<Result<Vec<_>, _>>()?;
    let agreements = candidates
        .iter()
        .map(|ridge| {
            let scores = Trak::new(models, *ridge)?.scores(&queries)?;
            let predictions = subset_sums(&scores, subsets)?;
            let correlations = records
                .iter()
                .enumerate()
                .filter_map(|(row, record)| {
                    let models = &unseen[*record as usize];
                    if models.len() < 3 {
                        return None;
                    }
                    let column = *record as usize;
                    let pick = |value: &dyn Fn(usize) -> f64| {
                        models.iter().map(|model| value(*model)).collect::<Vec<_>>()
                    };
                    spearman(
                        &pick(&|model| predictions.row(row)[model]),
                        &pick(&|model| outputs.row(model)[column]),
                    )
                })
                .collect::<Vec<_>>();
            if correlations.is_empty() {
                return Err(Error::parameter(
                    "number of records that three models with different outputs did not see",
                    0,
                    "at least 1: train the models on random halves of the records",
                ));
            }
            Ok(correlations.iter().sum::<f64>() / correlations.len() as f64)
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let mut best = 0;
    for (at, agreement) in agreements.iter().enumerate() {
        if *agreement > agreements[best] {
            best = at;
        }
    }
    Ok(RidgeSelection {
        ridge: candidates[best],
        agreements,
    })
}
