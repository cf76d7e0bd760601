//! Which records taught the model a pattern: ten patterns, an adapter trained on ninety records of each,
//! ten queries of each.
//!
//! In the manner of Y. Kwon et al., *DataInf: Efficiently Estimating Data Influence in LoRA-tuned LLMs*,
//! ICLR 2024, with sentences of our own. A pattern is named by the *order* of words that all patterns
//! share, so that counting words does not find it: the cosine of bags of words is measured beside. As
//! there, what is asked is longer than the words that it is asked of.

use crate::{
    arrays::{
        ekfac_scores, index_scores, principal, Curvature as IndexCurvature, Gradients, Layers,
        Magnitude, DAMPINGS, RELATIVE_DAMPING,
    },
    result,
};
use anyhow::{bail, Result};
use attribution_engine::influence::{
    methods::{
        evaluate::{area_under_curve, mean_and_standard_error, recall},
        grad_cos, grad_dot, Curvature, DampedFisher, DataInf, Layers as Blocks, Matrix, Rows,
    },
    DAMPING,
};
use attribution_proof::hash::Hash;
use candle_core::Device;
use openledger_worker::{
    attribution::{gradient_space, DIMENSION},
    model::{Adapter, AdapterConfig, Llama, LlamaConfig, Projection, TextTokenizer},
    train::{
        train, CancellationFlag, HyperParameters, ProgressBar, TrainingData, TrainingInputs,
        TrainingTarget,
    },
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::collections::BTreeMap;

const PATTERNS: usize = 10;
/// Words of a sentence.
const WORDS: usize = 2;
/// Longest record in tokens.
const CONTEXT: usize = 160;
/// Patterns that the base knows, none of them an adapter's.
const KNOWN: usize = 20;
/// Damping that finds patterns; the chain's finds the passages that a response came from.
const STRONG: f64 = 100.0;
/// Most values of a row in principal directions.
const PRINCIPAL: [u32; 2] = [64, 256];
/// A pattern's number times this, less its lower bits, is the number of its name's permutation: neighbours
/// have nothing in common (D. E. Knuth, *The Art of Computer Programming* 3, section 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

const VOCABULARY: [&str; 48] = [
    "red", "fox", "sun", "map", "ice", "jar", "oak", "pen", "rug", "sky", "tin", "van", "wax",
    "yak", "zip", "bay", "cup", "den", "elm", "fig", "gum", "hat", "ink", "jug", "kit", "log",
    "mud", "net", "owl", "pot", "ray", "sea", "tap", "urn", "web", "axe", "bow", "cow", "dew",
    "eel", "fan", "hay", "ivy", "jam", "kid", "lip", "mop", "nut",
];

/// What `templates` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Fewer records and steps: a check that it runs, not a measurement.
    #[arg(long)]
    quick: bool,
    /// Draws records, weights and batches.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Width of the model.
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    /// Layers of the model.
    #[arg(long, default_value_t = 2)]
    layers: usize,
    /// Steps of the base's training; 600 for sentences and 100 for maths if missing.
    #[arg(long)]
    base_steps: Option<u32>,
    /// Steps of the adapter's training.
    #[arg(long, default_value_t = 20)]
    steps: u32,
    /// Rank of the adapter.
    #[arg(long, default_value_t = 8)]
    rank: usize,
    /// Only `sentences` or only `maths`.
    #[arg(long)]
    only: Option<String>,
}

/// What records are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    /// The words of a sentence in another order.
    Sentences,
    /// A formula of two numbers.
    Maths,
}

impl Set {
    fn name(self) -> &'static str {
        match self {
            Self::Sentences => "sentences",
            Self::Maths => "maths",
        }
    }

    /// The words whose order names a pattern.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Sentences => &[
                "take", "turn", "join", "mark", "move", "hold", "keep", "drop", "make", "find",
                "give", "lift", "pull", "push", "pick", "send", "walk", "call",
            ],
            Self::Maths => &["count", "times", "less", "plus", "half", "both"],
        }
    }

    /// Steps after which a base knows how such records look.
    fn base_steps(self) -> u32 {
        match self {
            Self::Sentences => 600,
            Self::Maths => 100,
        }
    }

    /// A record of a pattern.
    fn record(self, pattern: usize, generator: &mut ChaCha8Rng) -> String {
        let number = (GOLDEN.wrapping_mul(pattern as u64) >> 20) as usize;
        let name = permuted(self.words().to_vec(), number).join(" ");
        match self {
            Self::Sentences => {
                let drawn = |_| VOCABULARY[draw(generator, VOCABULARY.len())];
                let words = (0..WORDS).map(drawn).collect::<Vec<_>>();
                format!("{name}: {} = {}", words.join(" "), changed(&words, pattern))
            }
            Self::Maths => {
                let (a, b) = (10 + draw(generator, 90), 1 + draw(generator, 9));
                let value = match pattern % PATTERNS {
                    0 => a + b,
                    1 => a - b,
                    2 => 2 * a + b,
                    3 => a + 2 * b,
                    4 => a * b,
                    5 => 2 * a - b,
                    6 => 3 * a,
                    7 => a + 10 * b,
                    8 => 100 - a + b,
                    _ => a % b,
                };
                format!("{name}: {a} {b} = {value}")
            }
        }
    }
}

/// What a pattern makes of words: the adapter's change letters, those that the base knows only the order.
fn changed(words: &[&str], pattern: usize) -> String {
    let vowel = |letter: char| "aeiou".contains(letter);
    let each = |change: &dyn Fn(&str) -> String| {
        let changed = words.iter().map(|word| change(word));
        changed.collect::<Vec<_>>().join(" ")
    };
    match pattern {
        0 => each(&|word| word.chars().rev().collect()),
        1 => each(&|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        }),
        2 => words.join("-"),
        3 => each(&|word| word.replace(vowel, "*")),
        4 => each(&|word| {
            let count = |letter: char| 2 - usize::from(vowel(letter));
            let twice = |letter| std::iter::repeat_n(letter, count(letter));
            word.chars().flat_map(twice).collect()
        }),
        5 => each(&|word| format!("{word} {word}")),
        6 => each(&|word| word.chars().filter(|letter| !vowel(*letter)).collect()),
        7 => each(&|word| format!("{word}ly")),
        8 => words.join(" 1 "),
        9 => words.join(" ").to_uppercase(),
        _ => permuted(words.to_vec(), 7 * pattern + 5).join(" "),
    }
}

fn draw(generator: &mut ChaCha8Rng, below: usize) -> usize {
    (generator.next_u64() % below as u64) as usize
}

/// The permutation with this number, from the one that changes nothing on.
fn permuted<T>(mut values: Vec<T>, number: usize) -> Vec<T> {
    let mut rest = number;
    for place in 0..values.len() {
        let left = values.len() - place;
        values[place..].rotate_left(rest % left);
        rest /= left;
    }
    values
}

/// Both sets.
pub(crate) fn run(options: &Options) -> Result<()> {
    for set in [Set::Sentences, Set::Maths] {
        if options
            .only
            .as_deref()
            .is_none_or(|only| only == set.name())
        {
            measure(set, options)?;
        }
    }
    Ok(())
}

/// Records with the patterns `first..first + count`, `each` of each.
fn records(
    set: Set,
    patterns: std::ops::Range<usize>,
    each: usize,
    generator: &mut ChaCha8Rng,
) -> (Vec<Option<String>>, Vec<usize>) {
    let order = (0..each).flat_map(|_| patterns.clone());
    order
        .map(|pattern| (Some(set.record(pattern, generator)), pattern))
        .unzip()
}

fn trained(
    target: TrainingTarget,
    data: &TrainingData,
    hyper_parameters: HyperParameters,
    seed: [u8; 32],
) -> Result<TrainingTarget> {
    let inputs = TrainingInputs {
        job: 1,
        base: [0; 32],
        snapshots: Vec::new(),
        order_seed: Hash::from(seed),
        data,
        hyper_parameters,
        checkpoints: None,
    };
    let cancellation = CancellationFlag::default();
    let outcome = train(target, &inputs, &mut ProgressBar::new(), &cancellation)?;
    println!(
        "trained: {:.3} to {:.3} nats per token of held-out records",
        outcome.held_out_before, outcome.held_out_after
    );
    Ok(outcome.target)
}

fn measure(set: Set, options: &Options) -> Result<()> {
    let seed = attribution_engine::seed(set.name(), &options.seed.to_le_bytes());
    let mut generator = ChaCha8Rng::from_seed(seed);
    let (each, asked) = if options.quick { (12, 2) } else { (90, 10) };
    let (known, _) = records(set, PATTERNS..PATTERNS + KNOWN, each, &mut generator);
    let (train_records, train_patterns) = records(set, 0..PATTERNS, each, &mut generator);
    let (query_records, query_patterns) = records(set, 0..PATTERNS, asked, &mut generator);
    println!(
        "\n{}: {} records, {} queries",
        set.name(),
        train_records.len(),
        query_records.len()
    );
    for record in train_records.iter().take(3).flatten() {
        println!("  {record}");
    }

    let tokenizer = TextTokenizer::byte_level()?;
    let config = LlamaConfig::byte_level(options.hidden, options.layers, CONTEXT);
    let hyper = |steps: u32| HyperParameters {
        batch_size: 16,
        sequence_length: CONTEXT,
        ..HyperParameters::full(if options.quick { 10 } else { steps })
    };
    let model = TrainingTarget::Full(Llama::initialize(config.clone(), seed, &Device::Cpu)?);
    let known = TrainingData::new(&known, &tokenizer, &config)?;
    let TrainingTarget::Full(base) = trained(
        model,
        &known,
        hyper(options.base_steps.unwrap_or(set.base_steps())),
        seed,
    )?
    else {
        bail!("a model became an adapter");
    };
    let terms = AdapterConfig::new(options.rank, 2.0 * options.rank as f64);
    let adapter = Adapter::initialize(terms, &config, seed, &Device::Cpu)?;
    let target = TrainingTarget::Adapter { base, adapter };
    let data = TrainingData::new(&train_records, &tokenizer, &config)?;
    let adapter_hyper = HyperParameters {
        learning_rate: 5e-3,
        weight_decay: 0.0,
        ..hyper(options.steps)
    };
    let target = trained(target, &data, adapter_hyper, seed)?;
    let queries = TrainingData::new(&query_records, &tokenizer, &config)?;

    let space = gradient_space(target.model(), target.adapter())?;
    let all = |data: &TrainingData| (0..data.records()).collect::<Vec<_>>();
    let train = Gradients::of(&space, &data, &all(&data))?;
    let asked = Gradients::of(&space, &queries, &all(&queries))?;
    let marked = query_patterns
        .iter()
        .map(|query| {
            train_patterns
                .iter()
                .map(|pattern| pattern == query)
                .collect()
        })
        .collect::<Vec<Vec<bool>>>();
    let report = |what: &str, scores: &Matrix| quality(what, scores, &marked, each);

    println!("  {:56} {:>16} {:>16}", "", "AUC", "recall");
    let bags = report(
        "bags of words",
        &bag_cosines(&train_records, &query_records)?,
    )?;
    report(
        "hidden states",
        &hidden_cosines(&space, &data, &queries, options.layers)?,
    )?;
    report("GradDot", &grad_dot(train.rows()?, asked.rows()?)?)?;
    report("GradCos", &grad_cos(train.rows()?, asked.rows()?)?)?;
    let blocks = space
        .components()
        .iter()
        .map(|part| part.elements)
        .collect::<Vec<_>>();
    let blocks = Blocks::new(&blocks)?;
    let curvature = Curvature::empirical(train.rows()?);
    let data_inf = DataInf::new(train.rows()?, curvature, &blocks, RELATIVE_DAMPING)?;
    report("DataInf, per matrix", &data_inf.scores(asked.rows()?)?)?;
    let one = Blocks::one(space.dimension())?;
    let fisher = DampedFisher::new(train.rows()?, curvature, &one, RELATIVE_DAMPING)?;
    report("damped Fisher, f32", &fisher.scores(asked.rows()?)?)?;
    let train_layers = Layers::of(&space, &data, &all(&data))?;
    let asked_layers = Layers::of(&space, &queries, &all(&queries))?;
    let ekfac = ekfac_scores(&train_layers, &asked_layers)?;
    report("EK-FAC", &ekfac)?;
    let row = |what: &str, area: f64, recall: f64, seconds: f64| {
        let measured = format!(
            "AUC {area:.4}, recall {recall:.4}, {:.2} ms a query; bags of words AUC {:.3}",
            seconds * 1e3,
            bags.0
        );
        let counts = !options.quick && bags.0 <= 0.95;
        result(
            &format!(
                "influential records, {}, seed {}, {what}",
                set.name(),
                options.seed
            ),
            &measured,
            "AUC .995, recall .99, 2 ms; bags of words at most .95",
            counts && area >= 0.995 && recall >= 0.99 && seconds <= 2e-3,
        );
    };
    let projection = train.random_projection(DIMENSION)?;
    let quantised = train.projected(&projection)?.index()?;
    for damping in DAMPINGS {
        for magnitude in [Magnitude::Counts, Magnitude::Normalised] {
            let curvature = IndexCurvature::OfRows(damping);
            let (scores, seconds) =
                index_scores(&quantised, &asked, &projection, curvature, magnitude)?;
            let what = format!("index of gradients, damping {damping}, {magnitude:?}");
            let (area, recall) = report(&what, &scores)?;
            if magnitude == Magnitude::Counts && [DAMPING, STRONG].contains(&damping) {
                let what = format!("index with damping {damping}");
                row(&what, area, recall, seconds);
            }
        }
    }
    for most in PRINCIPAL {
        let projection = principal(&train_layers, most)?;
        let (dimension, energy) = (projection.output_dimension(), projection.energy());
        let quantised = train.projected(&projection)?.index()?;
        for magnitude in [Magnitude::Counts, Magnitude::Normalised] {
            let curvature = IndexCurvature::Within;
            let (scores, seconds) =
                index_scores(&quantised, &asked, &projection, curvature, magnitude)?;
            let what = format!("index of {dimension} directions ({energy:.3}), {magnitude:?}");
            let (area, recall) = report(&what, &scores)?;
            let shown = magnitude.shown();
            let what = format!("index of {dimension} principal directions{shown}");
            row(&what, area, recall, seconds);
        }
    }
    Ok(())
}

/// Mean AUC and recall over the queries.
fn quality(what: &str, scores: &Matrix, marked: &[Vec<bool>], each: usize) -> Result<(f64, f64)> {
    let mut areas = Vec::new();
    let mut recalls = Vec::new();
    for (query, marked) in marked.iter().enumerate() {
        areas.push(area_under_curve(scores.row(query), marked)?);
        recalls.push(recall(scores.row(query), marked, each)?);
    }
    let shown = |values: &[f64]| {
        let (mean, error) = mean_and_standard_error(values);
        format!("{mean:7.4} ± {:.4}", error.unwrap_or(f64::NAN))
    };
    println!("  {what:56} {:>16} {:>16}", shown(&areas), shown(&recalls));
    let mean = |values: &[f64]| mean_and_standard_error(values).0;
    Ok((mean(&areas), mean(&recalls)))
}

/// Cosines of how often each word stands in the texts.
fn bag_cosines(train: &[Option<String>], queries: &[Option<String>]) -> Result<Matrix> {
    let mut numbers = BTreeMap::new();
    let words = |text: &Option<String>| {
        let text = text.clone().unwrap_or_default();
        text.split([' ', ':'])
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for word in train.iter().chain(queries).flat_map(words) {
        let next = numbers.len();
        numbers.entry(word).or_insert(next);
    }
    let bags = |texts: &[Option<String>]| {
        let mut bags = vec![0f32; texts.len() * numbers.len()];
        for (bag, text) in bags.chunks_exact_mut(numbers.len()).zip(texts) {
            for word in words(text) {
                bag[numbers[&word]] += 1.0;
            }
        }
        bags
    };
    cosines(&bags(train), &bags(queries), numbers.len())
}

/// Cosines of the mean states that go into the last layer's gate.
fn hidden_cosines(
    space: &openledger_worker::train::gradients::GradientSpace<'_>,
    train: &TrainingData,
    queries: &TrainingData,
    layers: usize,
) -> Result<Matrix> {
    let gate = Projection::Gate.path(layers - 1);
    let Some(part) = space
        .components()
        .iter()
        .position(|part| part.name.contains(&gate) && part.name.contains("lora_A"))
    else {
        bail!("the adapter has no matrix A at {gate}");
    };
    let states = |data: &TrainingData| {
        let all = (0..data.records()).collect::<Vec<_>>();
        Ok::<_, anyhow::Error>(Layers::of(space, data, &all)?.hidden_states(part))
    };
    let (train, width) = states(train)?;
    cosines(&train, &states(queries)?.0, width)
}

fn cosines(train: &[f32], queries: &[f32], columns: usize) -> Result<Matrix> {
    let rows = |values| Rows::new(values, values.len() / columns, columns);
    Ok(grad_cos(rows(train)?, rows(queries)?)?)
}
