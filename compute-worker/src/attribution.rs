//! From a trained model and its input records to an influence index, and from a response to the rows
//! and bytes that shaped it.
//!
//! This is where gradients of models meet the attribution engine, which knows neither models nor the
//! chain. Both the operator's training jobs and the serving of receipts go through it, so a row and a
//! query are always made the same way.

use crate::{
    model::{Adapter, Llama},
    train::{gradients::GradientSpace, CancellationFlag, Progress, TrainError, TrainingData},
};
use attribution_engine::{
    corpus::{cover, Corpus, CoverRules},
    duplicates::standings,
    influence::{
        quantise_query, Direction, Index, IndexBuilder, IndexReport, Preconditioner, Quantisation,
        DAMPING,
    },
    projection::Projection,
    scan::top_k,
};
use attribution_proof::{
    hash::Hash, influence::Query, receipt::Credit, ruleset::ReceiptRules, span::Span,
    ContributionId, ModelId,
};

/// Dimension of the vectors in an index.
pub const DIMENSION: u32 = 1_024;
/// Buckets that each gradient coordinate is added to.
pub const NONZEROS: usize = 8;

/// Why an index cannot be built or a response not be traced.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The model's gradients.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The attribution engine.
    #[error(transparent)]
    Engine(#[from] attribution_engine::Error),
    /// A credited row has no owner in the model's inputs.
    #[error("row {row} of model {model} has no owner: the index and the model's inputs disagree; fetch both again")]
    NoOwner {
        /// The model.
        model: ModelId,
        /// The row.
        row: u32,
    },
}

/// The weights that a model's index is about: all of an adapter's, or the linear maps in the second
/// half of a base model's layers.
pub fn gradient_space<'a>(
    base: &'a Llama,
    adapter: Option<&'a Adapter>,
) -> Result<GradientSpace<'a>, TraceError> {
    Ok(match adapter {
        Some(adapter) => GradientSpace::of_adapter(base, adapter)?,
        None => GradientSpace::of_layers(base, base.config().num_hidden_layers / 2)?,
    })
}

fn projection(seed: &Hash, space: &GradientSpace<'_>) -> Result<Projection, TraceError> {
    Ok(Projection::new(
        &seed.0,
        space.dimension(),
        DIMENSION as usize,
        NONZEROS,
    )?)
}

/// Builds the index of a model over its input records, in the order of their ordinals.
///
/// `commits` are the records' commitments, by which copies are found, and `tombstoned` says which were
/// not trained on. `seed` is the projection seed that the chain drew.
pub fn build_index(
    space: &GradientSpace<'_>,
    data: &TrainingData,
    commits: &[Hash],
    tombstoned: &[bool],
    seed: &Hash,
    progress: &mut dyn Progress,
    cancellation: &CancellationFlag,
) -> Result<(Index, IndexReport), TraceError> {
    let projection = projection(seed, space)?;
    let standings = standings(commits, tombstoned)?;
    let mut builder = IndexBuilder::new(Quantisation::for_dimension(DIMENSION), standings)?;
    let wanted = builder.rows().to_vec();
    space.record_rows(data, progress, cancellation, |record, gradient| {
        let row = u32::try_from(record).map_err(|error| error.to_string())?;
        if wanted.binary_search(&row).is_err() {
            return Ok(());
        }
        let projected = projection
            .project(gradient)
            .map_err(|error| error.to_string())?;
        builder
            .set(row, &projected)
            .map_err(|error| error.to_string())
    })?;
    Ok(builder.finish()?)
}

/// Everything that tracing needs of one model of a lineage.
pub struct TracedModel {
    /// The model.
    pub model: ModelId,
    /// Its index.
    pub index: Index,
    /// What the index's rows make of a query.
    pub preconditioner: Preconditioner,
    /// Its input bytes.
    pub corpus: Corpus,
    /// The contribution that owns each row.
    pub owners: Vec<ContributionId>,
    projection: Projection,
}

impl TracedModel {
    /// Prepares a model. `records` are the input records in the order of their ordinals, nothing where
    /// one was tombstoned; `seed` is the seed of the index.
    pub fn new(
        model: ModelId,
        space: &GradientSpace<'_>,
        index: Index,
        records: &[Option<&[u8]>],
        owners: Vec<ContributionId>,
        seed: &Hash,
    ) -> Result<Self, TraceError> {
        Ok(Self {
            model,
            preconditioner: Preconditioner::new(&index, DAMPING)?,
            index,
            corpus: Corpus::build(records)?,
            owners,
            projection: projection(seed, space)?,
        })
    }

    /// The direction of a response's gradient in this model's index.
    pub fn direction(&self, gradient: &[f32]) -> Result<Direction, TraceError> {
        Ok(self
            .preconditioner
            .direction(&self.projection.project(gradient)?)?)
    }
}

/// What shaped a response.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The query vectors.
    pub query: Query,
    /// Credited rows.
    pub credits: Vec<Credit>,
    /// Covered bytes.
    pub spans: Vec<Span>,
    /// The contribution that owns each datum, credits first, then spans.
    pub owners: Vec<ContributionId>,
}

/// A query that credits no row, of the shape that the lineage's indexes ask for.
fn zero_query(directions: &[(ModelId, &Direction)]) -> Result<Query, attribution_engine::Error> {
    let vectors = directions
        .iter()
        .map(|(model, direction)| {
            let vector =
                vec![0; direction.values.len()]
                    .try_into()
                    .map_err(|vector: Vec<i16>| attribution_engine::Error::Shape {
                        what: "query direction",
                        found: vector.len(),
                        expected: DIMENSION as usize,
                    })?;
            Ok((*model, vector))
        })
        .collect::<Result<Vec<_>, attribution_engine::Error>>()?;
    let found = vectors.len();
    let vectors = vectors
        .try_into()
        .map_err(|_| attribution_engine::Error::Shape {
            what: "lineage",
            found,
            expected: attribution_proof::bounds::MAX_LINEAGE as usize,
        })?;
    Ok(Query { vectors })
}

/// Traces an answer of `base`, with or without an adapter, over a lineage, ascending by model: each
/// model with its adapter, nothing for the base itself. `prompt` and `answer` are tokens without the
/// begin token, `text` is the answer's. Computes for a while.
pub fn trace_answer(
    base: &Llama,
    lineage: &[(&TracedModel, Option<&Adapter>)],
    prompt: &[u32],
    answer: &[u32],
    text: &[u8],
    rules: &ReceiptRules,
) -> Result<Trace, TraceError> {
    let gradients = lineage
        .iter()
        .map(|(_, adapter)| {
            let space = gradient_space(base, *adapter)?;
            if answer.is_empty() {
                // An answer that ended at once points nowhere.
                return Ok(vec![0.0; space.dimension()]);
            }
            Ok(space.response_gradient(prompt, answer)?)
        })
        .collect::<Result<Vec<_>, TraceError>>()?;
    let traced: Vec<_> = lineage
        .iter()
        .zip(&gradients)
        .map(|((model, _), gradient)| (*model, gradient.as_slice()))
        .collect();
    trace(&traced, text, rules)
}

/// Traces `response` over a lineage, ascending by model, given the response's gradient in each model's
/// space.
pub fn trace(
    lineage: &[(&TracedModel, &[f32])],
    response: &[u8],
    rules: &ReceiptRules,
) -> Result<Trace, TraceError> {
    let directions: Vec<(ModelId, Direction)> = lineage
        .iter()
        .map(|(model, gradient)| Ok((model.model, model.direction(gradient)?)))
        .collect::<Result<_, TraceError>>()?;
    let named: Vec<_> = directions
        .iter()
        .map(|(model, direction)| (*model, direction))
        .collect();
    let query = match quantise_query(&named) {
        // It points nowhere: no row is credited, but its bytes may be covered.
        Err(attribution_engine::Error::ZeroQuery) => zero_query(&named)?,
        other => other?,
    };
    let indexes: Vec<_> = lineage
        .iter()
        .map(|(model, _)| (model.model, &model.index))
        .collect();
    let credits = top_k(&indexes, &query, rules.top_k as usize, rules.floor())?;
    let corpora: Vec<_> = lineage
        .iter()
        .map(|(model, _)| (model.model, &model.corpus))
        .collect();
    let spans = if response.is_empty() {
        Vec::new()
    } else {
        cover(&corpora, response, CoverRules::from(rules))?
    };
    let owner = |model: ModelId, row: u32| {
        lineage
            .iter()
            .find(|(traced, _)| traced.model == model)
            .and_then(|(traced, _)| traced.owners.get(row as usize).copied())
            .ok_or(TraceError::NoOwner { model, row })
    };
    let owners = credits
        .iter()
        .map(|credit| owner(credit.model, credit.row))
        .chain(spans.iter().map(|span| owner(span.at.model, span.at.row)))
        .collect::<Result<_, _>>()?;
    Ok(Trace {
        query,
        credits,
        spans,
        owners,
    })
}
