//! Indexes in folders: what they were built from, and their roots.

mod corpus;

use crate::{output, records::OwnerNames, tables, Global};
use anyhow::{bail, ensure, Context, Result};
use attribution_engine::{
    corpus::Corpus,
    duplicates::Standing,
    influence::{
        methods::Matrix, quantise_query, Index, IndexBuilder, IndexExtension, Preconditioner,
        Quantisation,
    },
    projection::Projection,
    scan,
};
use attribution_proof::{
    hash::Hash,
    merkle::Commitment,
    record::{content_tree, record_commit, record_leaf},
    AccountId, ModelId,
};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

const VERSION: u32 = 2;
const DESCRIPTION: &str = "index.json";
const DATA: &str = "index.bin";
/// A folder has one model's index.
const MODEL: ModelId = 0;

/// Which index.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Index texts, to trace quotations in them.
    Corpus(corpus::Arguments),
    /// Index gradients: a row for each record, quantised as on chain.
    Gradients(GradientArguments),
}

/// Arguments of `poa index gradients`.
#[derive(Debug, Args)]
pub(crate) struct GradientArguments {
    /// Gradients, a row for each record: .npy or CSV.
    gradients: PathBuf,
    /// Values in a row of the index.
    #[arg(long, default_value_t = 1024)]
    dimension: u32,
    /// The folder that becomes the index; it must not exist, or with --append be one.
    #[arg(long)]
    output: PathBuf,
    /// Add the rows to the index that is there, in its dimension and unit, with the seed that it was
    /// built with.
    #[arg(long, conflicts_with = "dimension")]
    append: bool,
}

/// What a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A suffix array over texts.
    Corpus,
    /// Quantised gradients.
    Gradients,
}

/// What stands beside an index.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    version: u32,
    /// What it is.
    pub(crate) kind: Kind,
    /// Number of rows.
    pub(crate) rows: usize,
    /// Root of the commitment to the rows, hexadecimal.
    pub(crate) root: String,
    /// The records' names, in row order; none for gradients.
    pub(crate) names: Vec<String>,
    /// The records' owners.
    pub(crate) owners: Vec<String>,
    /// How gradients became rows; missing for texts.
    projection: Option<ProjectionTerms>,
}

/// What a projection is drawn from. Rows and queries that differ in it have nothing in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectionTerms {
    /// Hexadecimal, made from `--seed`.
    seed: String,
    /// Values in a gradient.
    columns: usize,
}

impl ProjectionTerms {
    fn new(gradients: &tables::Table, global: &Global) -> Self {
        Self {
            seed: hex::encode(global.seed("projection")),
            columns: gradients.columns,
        }
    }
}

/// Builds an index.
pub(crate) fn run(command: Command, global: &Global) -> Result<ExitCode> {
    let (folder, description) = match command {
        Command::Corpus(arguments) => match corpus::build(&arguments)? {
            Some(description) => (arguments.output, description),
            None => return Ok(ExitCode::from(corpus::INTERRUPTED)),
        },
        Command::Gradients(arguments) => {
            let gradients = tables::matrix(&arguments.gradients)?;
            if arguments.append {
                let description = append(&arguments.output, &gradients, global)?;
                return told(&arguments.output, &description, global);
            }
            let index = quantised(&gradients, arguments.dimension, global)?;
            let root = index_root(&index)?;
            let description = Description {
                projection: Some(ProjectionTerms::new(&gradients, global)),
                ..describe(Kind::Gradients, index.len(), root, Vec::new(), Vec::new())
            };
            create(&arguments.output, &description, |path| index.save(path))?;
            (arguments.output, description)
        }
    };
    told(&folder, &description, global)
}

fn told(folder: &Path, description: &Description, global: &Global) -> Result<ExitCode> {
    let lines = [format!(
        "{} rows in {}; root {}",
        description.rows,
        folder.display(),
        description.root
    )];
    output::print(global.json, description, &lines)?;
    Ok(ExitCode::SUCCESS)
}

fn describe(
    kind: Kind,
    rows: usize,
    root: Hash,
    names: Vec<String>,
    owners: Vec<String>,
) -> Description {
    Description {
        version: VERSION,
        kind,
        rows,
        root: hex::encode(root),
        names,
        owners,
        projection: None,
    }
}

/// Makes the folder of an index. It appears under its name only when it is complete.
fn create(
    folder: &Path,
    description: &Description,
    save: impl FnOnce(&Path) -> Result<(), attribution_engine::Error>,
) -> Result<()> {
    check_absent(folder)?;
    let mut partial = folder.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    let attempt = || -> Result<()> {
        fs::create_dir_all(&partial)?;
        save(&partial.join(DATA))?;
        write_description(&partial, description)?;
        fs::rename(&partial, folder)?;
        Ok(())
    };
    attempt().map_err(|error| {
        // The first error is the one to report; what is left over has a name that tells.
        let _ = fs::remove_dir_all(&partial);
        error.context(format!("cannot write the index {}", folder.display()))
    })
}

/// Refuses to write over something.
fn check_absent(folder: &Path) -> Result<()> {
    ensure!(
        !folder.exists(),
        "{} exists already: remove it or name another folder",
        folder.display()
    );
    Ok(())
}

/// Writes what an index is.
fn write_description(folder: &Path, description: &Description) -> Result<()> {
    output::replace(&folder.join(DESCRIPTION), |out| {
        serde_json::to_writer_pretty(out, description)?;
        Ok(())
    })
}

/// Reads what an index is.
pub(crate) fn read_description(folder: &Path) -> Result<Description> {
    let path = folder.join(DESCRIPTION);
    let text = fs::read(&path).with_context(|| {
        format!(
            "{} is no index: cannot read {DESCRIPTION}",
            folder.display()
        )
    })?;
    let description: Description = serde_json::from_slice(&text)
        .with_context(|| format!("{} is damaged: build the index again", path.display()))?;
    ensure!(
        description.version == VERSION,
        "{} has format version {}, this build reads version {VERSION}: build it again",
        path.display(),
        description.version
    );
    Ok(description)
}

/// Opens an index of texts. With `all`, everything is compared with its checksums.
pub(crate) fn open_corpus(folder: &Path, all: bool) -> Result<(Description, Corpus)> {
    let description = read_description(folder)?;
    if description.kind != Kind::Corpus {
        bail!(
            "{} is an index of gradients, not of texts",
            folder.display()
        );
    }
    let path = folder.join(DATA);
    let corpus = if all {
        Corpus::load(&path)?
    } else {
        Corpus::open(&path)?
    };
    let rows = [
        corpus.len(),
        description.names.len(),
        description.owners.len(),
    ];
    ensure!(
        rows == [description.rows; 3],
        "{} contradicts itself about the number of records: build it again",
        folder.display()
    );
    Ok((description, corpus))
}

/// Opens an index of gradients, which is compared with its checksum.
pub(crate) fn open_gradients(folder: &Path) -> Result<Index> {
    Ok(Index::load(&folder.join(DATA))?)
}

/// Projects and quantises gradients.
fn quantised(gradients: &tables::Table, dimension: u32, global: &Global) -> Result<Index> {
    let terms = Quantisation::for_dimension(dimension);
    terms.check()?;
    let mut builder = IndexBuilder::new(terms, vec![Standing::Own; gradients.rows])?;
    project(gradients, dimension, global, 0, |row, gradient| {
        builder.set(row, gradient)
    })?;
    Ok(builder.finish()?.0)
}

/// The description of an index to which gradients of the same kind belong.
fn described(
    folder: &Path,
    index: &Index,
    gradients: &tables::Table,
    global: &Global,
) -> Result<Description> {
    let description = read_gradients_description(folder)?;
    ensure!(
        index.len() == description.rows,
        "{} has {} rows, but {DESCRIPTION} tells of {}: adding rows was interrupted, or a file is from \
         elsewhere; build the index again",
        folder.join(DATA).display(),
        index.len(),
        description.rows
    );
    let given = ProjectionTerms::new(gradients, global);
    let Some(terms) = &description.projection else {
        bail!(
            "{} does not say how its gradients were projected: build it again",
            folder.join(DESCRIPTION).display()
        );
    };
    ensure!(
        terms.columns == given.columns,
        "the gradients have {} values each, those in {} had {}: both must come from the same model",
        given.columns,
        folder.display(),
        terms.columns
    );
    ensure!(
        *terms == given,
        "{} was built with another seed: give the --seed that it was built with",
        folder.display()
    );
    Ok(description)
}

/// The description of a folder that must hold gradients.
fn read_gradients_description(folder: &Path) -> Result<Description> {
    let description = read_description(folder)?;
    ensure!(
        description.kind == Kind::Gradients,
        "{} is an index of texts, not of gradients",
        folder.display()
    );
    Ok(description)
}

/// Signed scores of all rows of the index in a folder for queries, `queries x rows`, as receipts have
/// them. They compare within a query.
pub(crate) fn scores(
    folder: &Path,
    queries: &tables::Table,
    damping: f64,
    global: &Global,
) -> Result<Matrix> {
    read_gradients_description(folder)?;
    let index = open_gradients(folder)?;
    described(folder, &index, queries, global)?;
    let working = output::working("curvature");
    let preconditioner = Preconditioner::new(&index, damping)?;
    working.finish_and_clear();
    let mut values = Vec::new();
    let dimension = index.quantisation().dimension;
    project(queries, dimension, global, 0, |_, gradient| {
        let direction = preconditioner.direction(gradient)?;
        let query = quantise_query(&[(MODEL, &direction)])?;
        let scores = scan::scores(MODEL, &index, &query)?;
        // Scores are under 2^53.
        values.extend(scores.into_iter().map(|score| score as f64));
        Ok(())
    })?;
    Ok(Matrix::new(values, queries.rows, index.len())?)
}

/// Adds gradients to the index in a folder.
fn append(folder: &Path, gradients: &tables::Table, global: &Global) -> Result<Description> {
    read_gradients_description(folder)?;
    let path = folder.join(DATA);
    let index = Index::open(&path)?;
    let mut description = described(folder, &index, gradients, global)?;
    let first = index.len() as u32;
    let mut extension = IndexExtension::new(&index, &vec![Standing::Own; gradients.rows])?;
    let dimension = index.quantisation().dimension;
    project(gradients, dimension, global, first, |row, gradient| {
        extension.set(row, gradient)
    })?;
    let report = extension.append_to(&path)?;
    if report.adjusted > 0 {
        eprintln!(
            "{} of the {} new rows are too large, too small or too uneven for the index's unit and keep \
             only their direction: build the index again where that is many",
            report.adjusted, report.own
        );
    }
    let index = open_gradients(folder)?;
    description.rows = index.len();
    description.root = hex::encode(index_root(&index)?);
    output::replace(&folder.join(DESCRIPTION), |out| {
        serde_json::to_writer_pretty(out, &description)?;
        Ok(())
    })?;
    Ok(description)
}

/// Projects each row of gradients and hands it on with its number, from `first` on.
fn project(
    gradients: &tables::Table,
    dimension: u32,
    global: &Global,
    first: u32,
    mut set: impl FnMut(u32, &[f32]) -> Result<(), attribution_engine::Error>,
) -> Result<()> {
    let nonzeros = if dimension.is_multiple_of(4) { 4 } else { 1 };
    let projection = Projection::new(
        &global.seed("projection"),
        gradients.columns,
        dimension as usize,
        nonzeros,
    )?;
    let bar = output::progress("rows", gradients.rows as u64);
    for (row, gradient) in (first..).zip(gradients.values.chunks_exact(gradients.columns)) {
        set(row, &projection.project(gradient)?)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// The root over texts, as a contribution of an account of zeros without salts commits to them.
pub(crate) fn text_root<R: AsRef<[u8]>>(records: impl IntoIterator<Item = R>) -> Hash {
    let leaves = (0..)
        .zip(records)
        .map(|(row, text)| text_leaf(row, text.as_ref()));
    Commitment::of(leaves.collect()).root
}

/// A leaf under that root.
fn text_leaf(row: u32, text: &[u8]) -> Hash {
    let commit = record_commit(&Hash::zero(), &content_tree(text).commitment());
    record_leaf(row, &AccountId::new([0; 32]), &commit, text.len() as u32)
}

/// The root over rows of gradients, as job 0 whose records have leaves of zeros commits to them.
pub(crate) fn index_root(index: &Index) -> Result<Hash> {
    let records = vec![Hash::zero(); index.len()];
    Ok(index.tree(0, &records)?.commitment().root)
}

/// The owners of an index's records by number.
pub(crate) fn owners(description: &Description) -> OwnerNames {
    OwnerNames::new(description.owners.iter().cloned())
}
