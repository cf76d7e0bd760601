//! Indexes of gradients: projected, quantised, searched.

use super::{
    check_absent, describe, read_description, write_description, Description, Kind, DATA,
    DESCRIPTION,
};
use crate::{
    influence::{linear, DAMPING},
    output, tables, Global,
};
use anyhow::{bail, ensure, Context, Result};
use attribution_engine::{
    duplicates::Standing,
    influence::{
        methods::{Damping, Ekfac, LinearLayer, Matrix, PrincipalProjection, Rows},
        quantise_query, Direction, Index, IndexBuilder, IndexExtension, Preconditioner,
        Quantisation,
    },
    npy,
    projection::Projection,
    scan, Error,
};
use attribution_proof::{hash::Hash, ModelId};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A folder has one model's index.
const MODEL: ModelId = 0;
/// Principal directions, beside the rows.
const DIRECTIONS: &str = "directions.npy";

/// Arguments of `poa index gradients`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Gradients, a row for each record: .npy or CSV.
    gradients: PathBuf,
    /// Values in a row of the index; with --principal, the most.
    #[arg(long, default_value_t = 1024)]
    dimension: u32,
    /// The folder that becomes the index; it must not exist, or with --append be one.
    #[arg(long)]
    pub(super) output: PathBuf,
    /// Add the rows to the index that is there, in its dimension and unit, with the seed that it was
    /// built with, or its directions.
    #[arg(long, conflicts_with_all = ["dimension", "principal", "curvature", "curvature_deltas", "damping"])]
    append: bool,
    /// Project to the directions in which these gradients lie, which are kept beside the index,
    /// instead of at random: no product of two gradients changes where --dimension is at least the
    /// number of records.
    #[arg(long)]
    principal: bool,
    /// Weigh directions by the curvature of linear layers, as ekfac does: the activations of all
    /// tokens of the training records, once for each layer. Each gradient must then hold the layers'
    /// d_out x d_in values one after the other.
    #[arg(long, requires = "principal", requires = "curvature_deltas")]
    curvature: Vec<PathBuf>,
    /// Derivatives of the loss by each layer's output, once for each layer.
    #[arg(long, requires = "curvature")]
    curvature_deltas: Vec<PathBuf>,
    /// The tokens of each record of the curvature, a number a line. [default: one each]
    #[arg(long, requires = "curvature")]
    curvature_tokens: Option<PathBuf>,
    /// Damping of the curvature, as a part of each layer's mean eigenvalue. [default: 0.1]
    #[arg(long, requires = "curvature")]
    damping: Option<f64>,
}

/// How gradients became rows. Rows and queries that differ in it have nothing in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum ProjectionTerms {
    /// Random signs.
    Random {
        /// Hexadecimal, made from `--seed`.
        seed: String,
        /// Values in a gradient.
        columns: usize,
    },
    /// The directions of the records with which the index began.
    Principal {
        /// Hash of the directions, hexadecimal.
        directions: String,
        /// Values in a gradient.
        columns: usize,
        /// The part of those records' energy that they keep.
        energy: f64,
        /// Damping of the curvature that they hold.
        damping: Option<f64>,
    },
}

/// What gradients are projected with.
enum Projector {
    Random(Projection),
    Principal(PrincipalProjection),
}

impl Projector {
    fn random(columns: usize, dimension: u32, global: &Global) -> Result<Self> {
        let nonzeros = if dimension.is_multiple_of(4) { 4 } else { 1 };
        let seed = global.seed("projection");
        let projection = Projection::new(&seed, columns, dimension as usize, nonzeros)?;
        Ok(Self::Random(projection))
    }

    /// That of an index, for gradients of the same kind.
    fn of(
        folder: &Path,
        description: &Description,
        dimension: u32,
        gradients: &tables::Table,
        global: &Global,
    ) -> Result<Self> {
        let Some(terms) = &description.projection else {
            bail!(
                "{} does not say how its gradients were projected: build it again",
                folder.join(DESCRIPTION).display()
            );
        };
        let (ProjectionTerms::Random { columns, .. } | ProjectionTerms::Principal { columns, .. }) =
            terms;
        ensure!(
            *columns == gradients.columns,
            "the gradients have {} values each, those in {} had {columns}: both must come from the same model",
            gradients.columns,
            folder.display()
        );
        match terms {
            ProjectionTerms::Random { seed, .. } => {
                ensure!(
                    *seed == hex::encode(global.seed("projection")),
                    "{} was built with another seed: give the --seed that it was built with",
                    folder.display()
                );
                Self::random(*columns, dimension, global)
            }
            ProjectionTerms::Principal {
                directions, energy, ..
            } => {
                let projection = read_directions(folder, *energy)?;
                ensure!(
                    hex::encode(projection.commit()) == *directions
                        && projection.output_dimension() == dimension as usize,
                    "{} are not the directions of this index: fetch them or build the index again",
                    folder.join(DIRECTIONS).display()
                );
                Ok(Self::Principal(projection))
            }
        }
    }

    /// Projects each row of gradients and hands it on with its number, from `first` on.
    fn each(
        &self,
        gradients: &tables::Table,
        first: u32,
        mut set: impl FnMut(u32, &[f32]) -> Result<(), Error>,
    ) -> Result<()> {
        let bar = output::progress("rows", gradients.rows as u64);
        for (row, gradient) in (first..).zip(gradients.values.chunks_exact(gradients.columns)) {
            let projected = match self {
                Self::Random(projection) => projection.project(gradient)?,
                Self::Principal(projection) => projection.project(gradient)?,
            };
            set(row, &projected)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }
}

fn read_directions(folder: &Path, energy: f64) -> Result<PrincipalProjection> {
    let path = folder.join(DIRECTIONS);
    let array = npy::read::<f32>(&path)?;
    let projection = || -> Result<_, Error> {
        let (rows, columns) = array.rows_and_columns()?;
        PrincipalProjection::from_directions(Rows::new(&array.values, rows, columns)?, energy)
    };
    projection().with_context(|| format!("{} holds no directions", path.display()))
}

/// The directions of gradients and what tells of them.
fn principal(
    arguments: &Arguments,
    gradients: &tables::Table,
) -> Result<(PrincipalProjection, ProjectionTerms)> {
    let most = arguments.dimension as usize;
    let working = output::working("directions");
    let (projection, damping) = if arguments.curvature.is_empty() {
        let rows = Rows::new(&gradients.values, gradients.rows, gradients.columns)?;
        (PrincipalProjection::of_rows(rows, most)?, None)
    } else {
        let records = linear::Records::read(
            "curvature (--curvature, --curvature-deltas)",
            &arguments.curvature,
            &arguments.curvature_deltas,
            arguments.curvature_tokens.as_deref(),
        )?;
        let layers = records.layers()?;
        let width = layers
            .iter()
            .map(|layer| layer.inputs() * layer.outputs())
            .sum::<usize>();
        ensure!(
            width == gradients.columns,
            "the layers of the curvature have {width} weights, but each gradient has {} values: it must \
             hold the d_out x d_in values of each layer, one layer after the other",
            gradients.columns
        );
        let records = layers.first().map_or(0, LinearLayer::records);
        ensure!(
            records == gradients.rows,
            "the curvature has {records} records, but there are {} gradients: both must be of the same \
             records, whose numbers of tokens --curvature-tokens tells",
            gradients.rows
        );
        let damping = arguments.damping.unwrap_or(DAMPING);
        let ekfac = Ekfac::new(&layers, Damping::Relative(damping))?;
        (ekfac.principal(&layers, most)?, Some(damping))
    };
    working.finish_and_clear();
    let terms = ProjectionTerms::Principal {
        directions: hex::encode(projection.commit()),
        columns: gradients.columns,
        energy: projection.energy(),
        damping,
    };
    Ok((projection, terms))
}

/// Builds an index of gradients, or adds to one.
pub(super) fn build(arguments: &Arguments, global: &Global) -> Result<Description> {
    let gradients = tables::matrix(&arguments.gradients)?;
    if arguments.append {
        return append(&arguments.output, &gradients, global);
    }
    check_absent(&arguments.output)?;
    let quantisation = Quantisation::for_dimension(arguments.dimension);
    quantisation.check()?;
    let (projector, terms) = if arguments.principal {
        let (projection, terms) = principal(arguments, &gradients)?;
        (Projector::Principal(projection), terms)
    } else {
        let terms = ProjectionTerms::Random {
            seed: hex::encode(global.seed("projection")),
            columns: gradients.columns,
        };
        let projector = Projector::random(gradients.columns, arguments.dimension, global)?;
        (projector, terms)
    };
    let quantisation = match &projector {
        Projector::Random(_) => quantisation,
        Projector::Principal(directions) => {
            Quantisation::for_dimension(directions.output_dimension() as u32)
        }
    };
    let mut builder = IndexBuilder::new(quantisation, vec![Standing::Own; gradients.rows])?;
    projector.each(&gradients, 0, |row, gradient| builder.set(row, gradient))?;
    let (index, report) = builder.finish()?;
    if report.silent > 0 {
        eprintln!(
            "{} of {} gradients are zero, or have too few values that are not, and will have no influence",
            report.silent, gradients.rows
        );
    }
    let description = Description {
        projection: Some(terms),
        ..describe(
            Kind::Gradients,
            index.len(),
            root(&index)?,
            Vec::new(),
            Vec::new(),
        )
    };
    create(&arguments.output, &description, |folder| {
        index.save(&folder.join(DATA))?;
        match &projector {
            Projector::Random(_) => Ok(()),
            Projector::Principal(directions) => {
                let shape = [directions.output_dimension(), directions.input_dimension()];
                npy::write(&folder.join(DIRECTIONS), &shape, directions.directions())
            }
        }
    })?;
    Ok(description)
}

/// Makes the folder of an index. It appears under its name only when it is complete. `save` writes
/// everything but the description.
fn create(
    folder: &Path,
    description: &Description,
    save: impl FnOnce(&Path) -> Result<(), attribution_engine::Error>,
) -> Result<()> {
    let mut partial = folder.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    let attempt = || -> Result<()> {
        check_absent(folder)?;
        fs::create_dir_all(&partial)?;
        save(&partial)?;
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

/// Opens an index, which is compared with its checksum.
pub(crate) fn open(folder: &Path) -> Result<Index> {
    Ok(Index::load(&folder.join(DATA))?)
}

/// The description of a folder that must hold gradients.
fn read_own_description(folder: &Path) -> Result<Description> {
    let description = read_description(folder)?;
    ensure!(
        description.kind == Kind::Gradients,
        "{} is an index of texts, not of gradients",
        folder.display()
    );
    Ok(description)
}

/// Refuses an index that its description does not fit.
fn check_rows(folder: &Path, index: &Index, description: &Description) -> Result<()> {
    ensure!(
        index.len() == description.rows,
        "{} has {} rows, but {DESCRIPTION} tells of {}: adding rows was interrupted, or a file is from \
         elsewhere; build the index again",
        folder.join(DATA).display(),
        index.len(),
        description.rows
    );
    Ok(())
}

/// What scores of an index are to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Damping of the curvature of the rows.
    pub(crate) damping: Option<f64>,
    /// Whether each score is divided by the length of its row.
    pub(crate) relative: bool,
}

/// Signed scores of all rows of the index in a folder for queries, `queries x rows`, as receipts have
/// them. They compare within a query.
pub(crate) fn scores(
    folder: &Path,
    queries: &tables::Table,
    terms: Terms,
    global: &Global,
) -> Result<Matrix> {
    let description = read_own_description(folder)?;
    let index = open(folder)?;
    check_rows(folder, &index, &description)?;
    let dimension = index.quantisation().dimension;
    let projector = Projector::of(folder, &description, dimension, queries, global)?;
    let within = match description.projection {
        Some(ProjectionTerms::Principal { damping, .. }) => damping,
        _ => None,
    };
    let preconditioner = match within {
        None => {
            let working = output::working("curvature");
            let preconditioner = Preconditioner::new(&index, terms.damping.unwrap_or(DAMPING))?;
            working.finish_and_clear();
            Some(preconditioner)
        }
        Some(within) => {
            ensure!(
                terms.damping.is_none(),
                "the rows in {} hold their curvature already, with a damping of {within}: leave --damping out",
                folder.display()
            );
            None
        }
    };
    let mut values = Vec::new();
    projector.each(queries, 0, |_, gradient| {
        let direction = match &preconditioner {
            Some(preconditioner) => preconditioner.direction(gradient)?,
            None => Direction {
                values: gradient.iter().copied().map(f64::from).collect(),
                unit: index.unit(),
            },
        };
        let query = quantise_query(&[(MODEL, &direction)])?;
        if terms.relative {
            values.extend(scan::relative_scores(MODEL, &index, &query)?);
        } else {
            let scores = scan::scores(MODEL, &index, &query)?;
            // Scores are under 2^53.
            values.extend(scores.into_iter().map(|score| score as f64));
        }
        Ok(())
    })?;
    Ok(Matrix::new(values, queries.rows, index.len())?)
}

/// Adds gradients to the index in a folder.
fn append(folder: &Path, gradients: &tables::Table, global: &Global) -> Result<Description> {
    let mut description = read_own_description(folder)?;
    let path = folder.join(DATA);
    let index = Index::open(&path)?;
    check_rows(folder, &index, &description)?;
    let dimension = index.quantisation().dimension;
    let projector = Projector::of(folder, &description, dimension, gradients, global)?;
    let first = index.len() as u32;
    let mut extension = IndexExtension::new(&index, &vec![Standing::Own; gradients.rows])?;
    projector.each(gradients, first, |row, gradient| {
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
    let index = open(folder)?;
    description.rows = index.len();
    description.root = hex::encode(root(&index)?);
    write_description(folder, &description)?;
    Ok(description)
}

/// The root over rows of gradients, as job 0 whose records have leaves of zeros commits to them.
pub(crate) fn root(index: &Index) -> Result<Hash> {
    let records = vec![Hash::zero(); index.len()];
    Ok(index.tree(0, &records)?.commitment().root)
}

/// Whether the directions beside an index are those that it was built with; true where it has none.
pub(crate) fn has_its_directions(folder: &Path, description: &Description) -> Result<bool> {
    match &description.projection {
        Some(ProjectionTerms::Principal {
            directions, energy, ..
        }) => Ok(hex::encode(read_directions(folder, *energy)?.commit()) == *directions),
        _ => Ok(true),
    }
}
