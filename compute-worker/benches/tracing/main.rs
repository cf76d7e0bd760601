//! Is tracing right? Passages are cut at random from contributed crates and traced as if they were
//! the model's answer to the text before them, half of them as they are, half with every identifier
//! renamed. The crate that a passage was cut from should get the largest share.
//!
//! ```text
//! cargo bench -p openledger-worker --bench tracing -- --seed 2 --passages 200
//! ```
//!
//! Everything but the cutting is the worker's own: records, training, index, trace, split.

mod corpus;
mod passages;
mod report;
mod statistics;

use anyhow::{Context, Result};
use attribution_engine::{influence::Index, shares::trace_shares};
use attribution_proof::{
    contribution::MediaType, hash::Hash, ruleset::ReceiptRules, totals::Payee, AccountId,
    ContributionId,
};
use clap::Parser;
use corpus::Corpus;
use openledger_runtime::configs::ruleset::FIRST_RULESET;
use openledger_worker::{
    attribution::{gradient_space, trace_answer, TracedModel},
    dataset::{Dataset, InputRecord},
    operator::{Base, Plan, Recipe},
    payload::Payload,
    threads,
    train::{derive_seed, CancellationFlag, HyperParameters, ProgressBar},
};
use passages::{Half, Passage};
use report::{Measurement, Report};
use statistics::Tally;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

/// The only model of the lineage.
const MODEL: u32 = 1;

/// Measures how often tracing finds the crate that a passage was cut from.
#[derive(Debug, Parser)]
struct Options {
    /// Draws passages, new names, weights, batches and the projection.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Passages, half of them with every identifier renamed.
    #[arg(long, default_value_t = 200)]
    passages: usize,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Crates of the lock file, comma-separated.
    #[arg(long, value_delimiter = ',', default_values_t = corpus::CRATES.map(String::from))]
    crates: Vec<String>,
    /// Most bytes of text that a crate contributes.
    #[arg(long, default_value_t = 24 * 1_024)]
    crate_bytes: usize,
    /// Most bytes of a record.
    #[arg(long, default_value_t = 1_024)]
    record_bytes: usize,
    /// Shortest passage in bytes.
    #[arg(long, default_value_t = 256)]
    shortest: usize,
    /// Longest passage in bytes.
    #[arg(long, default_value_t = 512)]
    longest: usize,
    /// Leave the text before a renamed passage as it is.
    #[arg(long)]
    original_prompt: bool,
    /// Width of the model.
    #[arg(long, default_value_t = 128)]
    hidden: usize,
    /// Layers of the model.
    #[arg(long, default_value_t = 4)]
    layers: usize,
    /// Context of the model in tokens.
    #[arg(long, default_value_t = 256)]
    context: usize,
    /// Training steps.
    #[arg(long, default_value_t = 150)]
    steps: u32,
    /// Sequences per step.
    #[arg(long)]
    batch: Option<usize>,
    /// Peak learning rate.
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Most influence credits; the first ruleset's if missing, like the following.
    #[arg(long)]
    top_k: Option<u32>,
    /// The cosine floor is one over the root of this.
    #[arg(long)]
    floor_denominator: Option<u32>,
    /// Shortest span in bytes.
    #[arg(long)]
    minimum_span: Option<u32>,
    /// Part of the data share that follows influence, in parts per billion.
    #[arg(long)]
    influence_mix: Option<u32>,
    /// Keep the training's checkpoints here, so that a second run does not train again.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    threads::configure();
    let options = Options::parse();
    let corpus = Corpus::collect(&options.crates, options.crate_bytes, options.record_bytes)?;
    let passages = passages::draw(&corpus, &options)?;
    let measurement = measure(&corpus, &passages, &options)?;
    let report = Report::new(&options, &corpus, &measurement);
    if options.json {
        println!("{}", report.json());
    } else {
        print!("{report}");
    }
    Ok(match report.is_right() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Trains, indexes and traces as the worker does.
fn measure(corpus: &Corpus, passages: &[Passage], options: &Options) -> Result<Measurement> {
    let temporary = tempfile::tempdir()?;
    let folder = options.folder.as_deref().unwrap_or(temporary.path());
    let plan = plan(corpus, options)?;
    let seed = |purpose| Hash::from(derive_seed(&Hash::from_low_u64_be(options.seed), purpose));
    let (order_seed, projection_seed) = (seed("order"), seed("projection"));
    let cancellation = CancellationFlag::default();

    let start = Instant::now();
    let trained = plan.train(
        order_seed,
        &folder.join("checkpoints"),
        u32::MAX,
        &mut ProgressBar::new(),
        &cancellation,
    )?;
    let training_seconds = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let scratch = folder.join("index");
    let indexed = plan.index(
        &trained.artifact,
        projection_seed,
        &scratch,
        &mut ProgressBar::new(),
        &cancellation,
    )?;
    let index_seconds = start.elapsed().as_secs_f64();

    let base = Base::from_artifact(trained.artifact.id(), &trained.artifact)?;
    let (model, tokenizer) = (&base.folder.model, &base.folder.tokenizer);
    let traced = TracedModel::new(
        MODEL,
        &gradient_space(model, None)?,
        load_index(&indexed.blob, &scratch)?,
        &plan.dataset.present(),
        plan.dataset.owners(),
        &projection_seed,
    )?;
    let rules = options.rules();
    let mut tallies = BTreeMap::<Half, Tally>::new();
    let start = Instant::now();
    for passage in passages {
        let trace = trace_answer(
            model,
            &[(&traced, None)],
            &tokenizer.encode(&passage.prompt)?,
            &tokenizer.encode(&passage.text)?,
            passage.text.as_bytes(),
            &rules,
        )?;
        let owner = |_, row: u32| traced.owners[row as usize];
        let shares = trace_shares(&trace.credits, &trace.spans, &rules, owner)?;
        let tally = tallies.entry(passage.half).or_default();
        tally.passages += 1;
        tally.spans += usize::from(is_largest(&shares.spans, passage.owner));
        tally.influence += usize::from(is_largest(&shares.influence, passage.owner));
        tally.mix += usize::from(is_largest(&shares.mix, passage.owner));
    }
    Ok(Measurement {
        rules,
        tallies,
        records: plan.dataset.records.len(),
        weights: model.parameter_count(),
        losses: [trained.loss_before, trained.loss_after].map(|loss| f64::from(loss) / 1e6),
        training_seconds,
        index_seconds,
        trace_seconds: start.elapsed().as_secs_f64() / passages.len().max(1) as f64,
    })
}

impl Options {
    fn rules(&self) -> ReceiptRules {
        let first = FIRST_RULESET.receipt;
        ReceiptRules {
            top_k: self.top_k.unwrap_or(first.top_k),
            floor_denominator: self.floor_denominator.unwrap_or(first.floor_denominator),
            minimum_span: self.minimum_span.unwrap_or(first.minimum_span),
            influence_mix: self.influence_mix.unwrap_or(first.influence_mix),
            ..first
        }
    }
}

/// What the worker would train: each crate is a contribution of its own account.
fn plan(corpus: &Corpus, options: &Options) -> Result<Plan> {
    let mut dataset = Dataset::default();
    for (contribution, source) in (0..).zip(&corpus.crates) {
        let account = AccountId::new([contribution as u8; 32]);
        let records = source.records.iter().map(|r| r.as_bytes().to_vec());
        let payload = Payload::new(&account, MediaType::Text, records.collect())
            .with_context(|| format!("records of {}", source.name))?;
        let commitments = payload.leaves.into_iter().zip(payload.commits);
        for ((index, bytes), (leaf, commit)) in (0..).zip(payload.records).zip(commitments) {
            dataset.records.push(InputRecord {
                contribution,
                index,
                leaf,
                commit,
                absent: false,
                is_text: true,
                bytes,
            });
        }
        dataset.contributors.insert(contribution, account);
    }
    let recipe = Recipe::base(
        options.hidden,
        options.layers,
        options.context,
        options.steps,
    );
    let training = HyperParameters {
        batch_size: options.batch.unwrap_or(recipe.training.batch_size),
        learning_rate: options
            .learning_rate
            .unwrap_or(recipe.training.learning_rate),
        ..recipe.training
    };
    Ok(Plan {
        job: 1,
        snapshots: Vec::new(),
        recipe: Recipe { training, ..recipe },
        base: None,
        dataset,
    })
}

fn load_index(blob: &[u8], scratch: &Path) -> Result<Index> {
    std::fs::write(scratch, blob)?;
    Ok(Index::load(scratch)?)
}

/// Whether `owner` got more than anybody else.
fn is_largest(shares: &[(Payee, u32)], owner: ContributionId) -> bool {
    let payee = Payee::Contribution(owner);
    let own = shares.iter().find(|(other, _)| *other == payee);
    own.is_some_and(|(_, own)| {
        shares
            .iter()
            .all(|(other, share)| *other == payee || share < own)
    })
}
