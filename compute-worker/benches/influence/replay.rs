//! Linear datamodelling scores against runs that leave records out, and nothing else changed.
//!
//! The measure of A. Ilyas and L. Engstrom, *MAGIC: Near-Optimal Data Attribution for Deep Learning*,
//! 2025: one run with a fixed seed and order, small parts of its records dropped, rank correlation of the
//! predicted with the true loss of each query. It is not comparable with scores over half-sized subsets.

use crate::{
    arrays::{
        ekfac_scores, index_scores, principal, Curvature as IndexCurvature, Gradients, Layers,
        Magnitude, DAMPINGS,
    },
    result, source,
};
use anyhow::{bail, Context, Result};
use attribution_engine::influence::{
    methods::{
        evaluate::{linear_datamodelling_score, Correlations, Outcome},
        grad_dot, Curvature, DampedFisher, Damping, Layers as Blocks, Matrix, Rows,
    },
    DAMPING,
};
use attribution_proof::hash::Hash;
use candle_core::Device;
use openledger_worker::{
    attribution::{gradient_space, DIMENSION},
    model::{Adapter, AdapterConfig, Llama, LlamaConfig, TextTokenizer},
    train::{
        gradients::GradientSpace, train, CancellationFlag, HyperParameters, ProgressBar,
        ReplayedRun, Silent, TrainingData, TrainingInputs, TrainingTarget,
    },
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::time::Instant;

/// A damping that foretells retrained models better than the chain's, which finds passages better.
const FIRMER: f64 = 1.0;

/// Most values of a row in principal directions.
const PRINCIPAL: [u32; 4] = [64, 128, 256, DIMENSION];

/// What `replay` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A few retrained models, in seconds: a check that it runs, not a measurement.
    #[arg(long)]
    quick: bool,
    /// Draws weights, batches and what is dropped.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Models that are trained again.
    #[arg(long, default_value_t = 100)]
    retrains: usize,
    /// Most records.
    #[arg(long, default_value_t = 320)]
    records: usize,
    /// Records whose loss is predicted.
    #[arg(long, default_value_t = 12)]
    queries: usize,
    /// Width of the model.
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    /// Layers of the model.
    #[arg(long, default_value_t = 2)]
    layers: usize,
    /// Longest record in bytes.
    #[arg(long, default_value_t = 96)]
    record_bytes: usize,
    /// Steps of each run.
    #[arg(long, default_value_t = 100)]
    steps: u32,
    /// Sequences per step.
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Peak learning rate of the transformer.
    #[arg(long, default_value_t = 1e-3)]
    learning_rate: f64,
    /// Peak learning rate of the adapter.
    #[arg(long, default_value_t = 5e-3)]
    adapter_learning_rate: f64,
    /// Rank of the adapter.
    #[arg(long, default_value_t = 8)]
    rank: usize,
    /// AdamW's epsilon; larger than usual, so that the run is smooth in its records' weights.
    #[arg(long, default_value_t = 1e-2)]
    epsilon: f64,
    /// Only the transformer, or only the adapter.
    #[arg(long)]
    only: Option<String>,
}

/// The runs.
pub(crate) fn run(options: &Options) -> Result<()> {
    let names = source::CRATES.map(String::from);
    let corpus = source::Corpus::collect(&names, 8 * 1_024, options.record_bytes)?;
    // Every other crate is what the adapter's base knows; the others are the records.
    let pick = |odd: usize| {
        let crates = corpus.crates.iter().skip(odd).step_by(2);
        let shares = options.records.div_ceil(corpus.crates.len() / 2);
        crates
            .flat_map(|source| source.records.iter().take(shares).cloned())
            .map(Some)
            .collect::<Vec<_>>()
    };
    let (known, records) = (pick(0), pick(1));
    let tokenizer = TextTokenizer::byte_level()?;
    let context = options.record_bytes + 32;
    let config = LlamaConfig::byte_level(options.hidden, options.layers, context);
    let seed = attribution_engine::seed("influence benchmark", &options.seed.to_le_bytes());
    let initial = Llama::initialize(config.clone(), seed, &Device::Cpu)?;
    let wanted = |name: &str| options.only.as_deref().is_none_or(|only| only == name);

    let data = TrainingData::new(&records, &tokenizer, &config)?;
    for source in &corpus.crates {
        println!(
            "{}, {}: {} bytes",
            source.name,
            source.licence,
            source.bytes()
        );
    }
    println!(
        "{} records, {} weights",
        data.records(),
        initial.parameter_count()
    );
    let known = TrainingData::new(&known, &tokenizer, &config)?;
    let base = known_base(TrainingTarget::Full(initial), &known, options, seed)?;
    if wanted("transformer") {
        measure("transformer", base.clone(), &data, options, seed)?;
    }
    if wanted("adapter") {
        let TrainingTarget::Full(base) = base else {
            bail!("a model became an adapter");
        };
        let terms = AdapterConfig::new(options.rank, 2.0 * options.rank as f64);
        let adapter = Adapter::initialize(terms, &config, seed, &Device::Cpu)?;
        let target = TrainingTarget::Adapter { base, adapter };
        measure("adapter", target, &data, options, seed)?;
    }
    Ok(())
}

fn inputs<'a>(
    data: &'a TrainingData,
    adapter: bool,
    options: &Options,
    seed: [u8; 32],
) -> TrainingInputs<'a> {
    let steps = if options.quick { 12 } else { options.steps };
    TrainingInputs {
        job: 1,
        base: [0; 32],
        snapshots: Vec::new(),
        order_seed: Hash::from(seed),
        data,
        hyper_parameters: HyperParameters {
            batch_size: options.batch,
            sequence_length: options.record_bytes + 32,
            learning_rate: if adapter {
                options.adapter_learning_rate
            } else {
                options.learning_rate
            },
            epsilon: options.epsilon,
            held_out_every: 8,
            max_held_out: options.queries,
            // Clipping bends: a run in which it happens is not differentiable where it begins.
            max_gradient_norm: 1e3,
            ..HyperParameters::full(steps)
        },
        checkpoints: None,
    }
}

/// A model that knows the text of other crates, trained as the worker does.
fn known_base(
    target: TrainingTarget,
    data: &TrainingData,
    options: &Options,
    seed: [u8; 32],
) -> Result<TrainingTarget> {
    let mut inputs = inputs(data, false, options, seed);
    inputs.hyper_parameters = HyperParameters {
        batch_size: options.batch,
        sequence_length: options.record_bytes + 32,
        ..HyperParameters::full(if options.quick { 12 } else { 200 })
    };
    let outcome = train(target, &inputs, &mut Silent, &CancellationFlag::default())?;
    println!(
        "base: {:.3} to {:.3} nats per token of held-out records",
        outcome.held_out_before, outcome.held_out_after
    );
    Ok(outcome.target)
}

fn trained(
    target: TrainingTarget,
    data: &TrainingData,
    options: &Options,
    seed: [u8; 32],
) -> Result<TrainingTarget> {
    let inputs = inputs(data, target.adapter().is_some(), options, seed);
    let outcome = train(target, &inputs, &mut Silent, &CancellationFlag::default())?;
    println!(
        "trained: {:.3} to {:.3} nats per token of held-out records",
        outcome.held_out_before, outcome.held_out_after
    );
    Ok(outcome.target)
}

/// Losses of runs without some records.
struct Retrained {
    /// The records that each run saw, by their place in the training set.
    kept: Vec<Vec<u32>>,
    /// `queries x runs`.
    losses: Matrix,
}

impl Retrained {
    /// Drops 1 to 10 % of the records, as often each.
    fn new(
        run: &mut ReplayedRun<'_>,
        training: &[usize],
        queries: &[usize],
        count: usize,
        seed: [u8; 32],
    ) -> Result<Self> {
        let mut generator = ChaCha8Rng::from_seed(seed);
        let all = run.losses(queries)?;
        let mut losses = vec![0.0; queries.len() * count];
        let mut change = 0.0;
        let kept = (0..count)
            .map(|number| {
                let percent = 1 + number % 10;
                let drop = (training.len() * percent).div_ceil(100);
                let mut order = (0..training.len() as u32).collect::<Vec<_>>();
                for place in 0..drop {
                    let rest = (order.len() - place) as u64;
                    order.swap(place, place + (generator.next_u64() % rest) as usize);
                }
                let mut weights = vec![1.0; training.len() + queries.len()];
                for place in &order[..drop] {
                    weights[training[*place as usize]] = 0.0;
                }
                run.set_record_weights(weights)?;
                for (query, loss) in run.losses(queries)?.into_iter().enumerate() {
                    losses[query * count + number] = loss;
                    change += (loss - all[query]).abs();
                }
                let mut kept = order.split_off(drop);
                kept.sort_unstable();
                Ok(kept)
            })
            .collect::<Result<_>>()?;
        println!(
            "{count} runs without 1 to 10 % of {} records: losses of {} queries changed by {:.4} in the mean",
            training.len(),
            queries.len(),
            change / losses.len() as f64
        );
        Ok(Self {
            kept,
            losses: Matrix::new(losses, queries.len(), count)?,
        })
    }

    fn score(&self, what: &str, scores: &Matrix, seconds: f64) -> Result<Correlations> {
        let score = linear_datamodelling_score(scores, &self.kept, &self.losses, Outcome::Loss)?;
        let error = score.standard_error.unwrap_or(f64::NAN);
        println!(
            "  {what:46} {:7.4} ± {error:.4} {seconds:8.2} s",
            score.mean
        );
        Ok(score)
    }
}

/// Scores with the inverse of the training records' own damped Fisher matrix.
fn fisher(train: Rows<'_>, queries: Rows<'_>, blocks: &Blocks, damping: Damping) -> Result<Matrix> {
    let curvature = Curvature::empirical(train);
    Ok(DampedFisher::new(train, curvature, blocks, damping)?.scores(queries)?)
}

fn measure(
    name: &str,
    target: TrainingTarget,
    data: &TrainingData,
    options: &Options,
    seed: [u8; 32],
) -> Result<()> {
    println!("\n{name}");
    let inputs = inputs(data, target.adapter().is_some(), options, seed);
    let outcome = trained(target.clone(), data, options, seed)?;
    let mut run = ReplayedRun::new(target, &inputs, CancellationFlag::default())?;
    let queries = run.held_out().to_vec();
    let training = (0..data.records())
        .filter(|record| queries.binary_search(record).is_err())
        .collect::<Vec<_>>();

    let start = Instant::now();
    let effects = run.effects(&queries, &mut ProgressBar::new())?;
    let replay_seconds = start.elapsed().as_secs_f64();
    let replay = effects
        .iter()
        .flat_map(|effects| training.iter().map(|record| -effects[*record]))
        .collect();
    let replay = Matrix::new(replay, queries.len(), training.len())?;

    let count = if options.quick { 10 } else { options.retrains };
    let start = Instant::now();
    let retrained = Retrained::new(&mut run, &training, &queries, count, seed)?;
    println!(
        "{:.2} s a run; linear datamodelling scores, and seconds for all queries:",
        start.elapsed().as_secs_f64() / (count + 1) as f64
    );
    let replay = retrained.score("replay", &replay, replay_seconds)?.mean;

    let (model, adapter) = (outcome.model(), outcome.adapter());
    let space = gradient_space(model, adapter)?;
    let gradients = Gradients::of(&space, data, &training)?;
    let query_gradients = Gradients::of(&space, data, &queries)?;
    let (rows, query_rows) = (gradients.rows()?, query_gradients.rows()?);
    let timed = |run: &dyn Fn() -> Result<Matrix>| {
        let start = Instant::now();
        Ok::<_, anyhow::Error>((run()?, start.elapsed().as_secs_f64()))
    };
    let (scores, seconds) = timed(&|| Ok(grad_dot(rows, query_rows)?))?;
    retrained.score("GradDot, the index's weights", &scores, seconds)?;
    let projection = gradients.random_projection(DIMENSION)?;
    let (projected, query_projected) = (
        gradients.projected(&projection)?,
        query_gradients.projected(&projection)?,
    );
    let (train, asked) = (projected.rows()?, query_projected.rows()?);
    let one = Blocks::one(train.columns())?;
    // The index's damping is a part of the mean over the eigenvalues that can differ from zero.
    let rank = train.columns().min(train.rows());
    let relative = Damping::Relative(DAMPING * train.columns() as f64 / rank as f64);
    let (scores, seconds) = timed(&|| fisher(train, asked, &one, relative))?;
    let single = retrained
        .score("index of gradients, f32", &scores, seconds)?
        .mean;
    let quantised = projected.index()?;
    let mut found = Vec::new();
    for damping in DAMPINGS {
        for magnitude in [Magnitude::Counts, Magnitude::Normalised] {
            let curvature = IndexCurvature::OfRows(damping);
            let (scores, seconds) = index_scores(
                &quantised,
                &query_gradients,
                &projection,
                curvature,
                magnitude,
            )?;
            let what = format!("index of gradients, {damping}, {magnitude:?}");
            let seconds = seconds * queries.len() as f64;
            let score = retrained.score(&what, &scores, seconds)?.mean;
            found.push((damping, magnitude, score));
        }
    }
    let of = |wanted: f64| {
        let mut found = found.iter();
        let one = found.find(|one| one.0 == wanted && one.1 == Magnitude::Counts);
        one.map(|one| one.2).context("a damping was not measured")
    };
    let (index, firmer) = (of(DAMPING)?, of(FIRMER)?);

    // EK-FAC sees all linear maps, as its authors have it.
    let all;
    let space = match adapter {
        Some(_) => &space,
        None => {
            all = GradientSpace::of_layers(model, 0)?;
            &all
        }
    };
    let gradients = Gradients::of(space, data, &training)?;
    let query_gradients = Gradients::of(space, data, &queries)?;
    let widths = space.components().iter().map(|part| part.elements);
    let matrices = Blocks::new(&widths.collect::<Vec<_>>())?;
    for (what, blocks) in [
        ("in one block", Blocks::one(space.dimension())?),
        ("by matrix", matrices),
    ] {
        for damping in DAMPINGS {
            let (rows, asked) = (gradients.rows()?, query_gradients.rows()?);
            let (scores, seconds) =
                timed(&|| fisher(rows, asked, &blocks, Damping::Relative(damping)))?;
            let what = format!("damped Fisher, all maps {what}, {damping}");
            retrained.score(&what, &scores, seconds)?;
        }
    }
    let (train, asked) = (
        Layers::of(space, data, &training)?,
        Layers::of(space, data, &queries)?,
    );
    let (scores_of_ekfac, seconds) = timed(&|| ekfac_scores(&train, &asked))?;
    let ekfac = retrained
        .score("EK-FAC, all maps", &scores_of_ekfac, seconds)?
        .mean;
    let mut in_principal = Vec::new();
    for most in PRINCIPAL {
        let start = Instant::now();
        let projection = principal(&train, most)?;
        let (dimension, energy) = (projection.output_dimension(), projection.energy());
        let quantised = gradients.projected(&projection)?.index()?;
        println!(
            "  {dimension} principal directions with {energy:.4} of the energy: {:.2} s",
            start.elapsed().as_secs_f64()
        );
        for magnitude in [Magnitude::Counts, Magnitude::Normalised] {
            let curvature = IndexCurvature::Within;
            let (scores, seconds) = index_scores(
                &quantised,
                &query_gradients,
                &projection,
                curvature,
                magnitude,
            )?;
            let what = format!("index of {dimension} directions, {magnitude:?}");
            let seconds = seconds * queries.len() as f64;
            let score = retrained.score(&what, &scores, seconds)?.mean;
            let shown = magnitude.shown();
            let what = format!("index of {dimension} principal directions{shown}");
            in_principal.push((what, score));
        }
    }

    let row = |what: &str| format!("LDS, {what}, {name}");
    let shown = |value: f64| format!("{value:.4} ({count} retrained)");
    let enough = !options.quick;
    result(
        &row("replay"),
        &shown(replay),
        "at least .95",
        enough && replay >= 0.95,
    );
    let (bound, least) = match adapter {
        Some(_) => ("at least .50".to_owned(), 0.5),
        None => (format!("at least EK-FAC's, {ekfac:.4}"), ekfac),
    };
    let chains = [
        (format!("index with damping {DAMPING}, as on chain"), index),
        (format!("index with damping {FIRMER}"), firmer),
    ];
    for (what, score) in chains.into_iter().chain(in_principal) {
        let holds = enough && score >= least;
        result(&row(&what), &shown(score), &bound, holds);
    }
    let lost = single - index;
    result(
        &row("i8 against f32"),
        &format!("{index:.4} against {single:.4}"),
        "at most .01 lost",
        enough && lost <= 0.01,
    );
    Ok(())
}
