//! What can go wrong, said so that the caller can put it right.

use std::{io, path::PathBuf};

/// Everything that the engine refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A parameter is outside its bounds.
    #[error("{name} is {value}, but it must be {expected}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// What it was.
        value: String,
        /// What it must be.
        expected: String,
    },
    /// Two inputs that belong together have different sizes.
    #[error("{what} has {found} entries where {expected} were expected")]
    Shape {
        /// The input of the wrong size.
        what: &'static str,
        /// Its size.
        found: usize,
        /// The size that the other inputs imply.
        expected: usize,
    },
    /// A gradient contains a NaN or an infinity.
    #[error(
        "the gradient{} is not finite at coordinate {coordinate} ({value}): \
         the model diverged or the gradient overflowed, so there is nothing to trace",
        row.map(|row| format!(" of row {row}")).unwrap_or_default()
    )]
    NotFinite {
        /// The row, where the gradient belongs to one.
        row: Option<u32>,
        /// The first such coordinate.
        coordinate: usize,
        /// Its value.
        value: f64,
    },
    /// A query direction has no magnitude.
    #[error("the query gradient is zero: it points nowhere, so no record can be credited")]
    ZeroQuery,
    /// The curvature cannot be factorised.
    #[error(
        "the curvature matrix is not positive definite at pivot {pivot}: \
         it needs at least one row that is not zero and a damping above zero"
    )]
    NotPositiveDefinite {
        /// The column where the factorisation stopped.
        pivot: usize,
    },
    /// A corpus is longer than the suffix array can address.
    #[error(
        "the corpus has {symbols} symbols (bytes plus one per record), the limit is {limit}: \
         split it into several corpora and trace through all of them"
    )]
    CorpusTooLarge {
        /// Bytes plus one end mark per record.
        symbols: u64,
        /// The largest supported number of symbols.
        limit: u64,
    },
    /// The suffix sorting library failed.
    #[error("suffix sorting failed ({0}): most likely there is not enough memory")]
    SuffixArray(String),
    /// An index that was loaded contradicts itself where only using it could show that.
    #[error("the index contradicts itself, {0}: build it again from the records")]
    Contradictory(&'static str),
    /// The system has not enough memory.
    #[error("cannot get {bytes} bytes of memory: {source}")]
    Memory {
        /// Bytes asked for.
        bytes: usize,
        /// The operating system's answer.
        source: io::Error,
    },
    /// An iteration for eigenvalues did not come to an end.
    #[error(
        "the eigendecomposition of a symmetric matrix of order {order} did not converge: \
         look for values of very different sizes among its inputs and scale them"
    )]
    NoConvergence {
        /// Rows of the matrix.
        order: usize,
    },
    /// Reading or writing a file failed.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The file is of another kind.
    #[error("{path} is not a {expected}: its first bytes are {found:02x?}")]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// The kind that was expected.
        expected: &'static str,
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// The file has a format version that this build does not know.
    #[error("{path} has format version {found}, this build reads version {supported}: rebuild it")]
    WrongVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that can be read.
        supported: u32,
    },
    /// The file is of the right kind, but of a variety that is not read.
    #[error("{path} cannot be read: {problem}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it is, and what it must be.
        problem: String,
    },
    /// The file is shorter or longer than its header says.
    #[error(
        "{path} has {found} bytes but its header promises {expected}: fetch or build it again"
    )]
    WrongLength {
        /// The file.
        path: PathBuf,
        /// Bytes found.
        found: u64,
        /// Bytes promised.
        expected: u64,
    },
    /// The checksum does not match the contents.
    #[error(
        "{path} does not match its checksum, it was damaged or altered: fetch or build it again"
    )]
    Checksum {
        /// The file.
        path: PathBuf,
    },
    /// The checksum matches but the contents contradict themselves.
    #[error("{path} is malformed at payload byte {offset}: {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Offset into the payload.
        offset: usize,
        /// What is wrong there.
        problem: String,
    },
    /// One entry of an input is not what it must be.
    #[error("{what} {index} is {value}, but it must be {expected}")]
    Entry {
        /// What the entry is, with its input.
        what: &'static str,
        /// Its place in the input, from zero.
        index: usize,
        /// What it was.
        value: String,
        /// What it must be.
        expected: String,
    },
    /// A utility is a NaN or an infinity.
    #[error(
        "the utility of a subset of {size} data is {value}: it must be finite, so give subsets on \
         which the model cannot be fitted the score of a guess"
    )]
    UtilityNotFinite {
        /// Number of data in the subset.
        size: usize,
        /// What the utility was.
        value: f64,
    },
    /// A utility command did not answer as it must.
    #[error("the utility command `{command}` {problem}")]
    UtilityCommand {
        /// The command.
        command: String,
        /// What it did, and what to do about it.
        problem: String,
    },
    /// An iterative fit stopped before it reached its tolerance.
    #[error(
        "the fit of {what} has gradient norm {norm:e} after {iterations} iterations, above the \
         tolerance {tolerance:e}: scale the features to comparable ranges, or raise the penalty or \
         the tolerance"
    )]
    NotConverged {
        /// The model.
        what: &'static str,
        /// Iterations made.
        iterations: usize,
        /// Norm of the gradient reached.
        norm: f64,
        /// Norm demanded.
        tolerance: f64,
    },
    /// A datum was left out of too few bags.
    #[error(
        "datum {datum} is left out of {found} of {bags} bags, but its value and standard error need \
         two: use more bags"
    )]
    RarelyOutOfBag {
        /// The first such datum.
        datum: usize,
        /// Number of bags without it.
        found: u32,
        /// Number of bags.
        bags: u32,
    },
    /// The header of a file cannot be used.
    #[error("{path} has a header that cannot be used, at byte {offset}: {problem}")]
    Header {
        /// The file.
        path: PathBuf,
        /// Offset into the file.
        offset: usize,
        /// What is wrong there, and what to do.
        problem: String,
    },
    /// A part of a file does not match its checksum.
    #[error(
        "the {section} of {path}, bytes {start} to {end}, do not match their checksum: \
         the file was damaged or altered, fetch or build it again"
    )]
    Section {
        /// The file.
        path: PathBuf,
        /// The name of the part.
        section: &'static str,
        /// Its first byte.
        start: usize,
        /// The byte behind its last.
        end: usize,
    },
    /// Every value of a token occurs, so none is left to end records.
    #[error(
        "all {values} values of {bits}-bit tokens occur in the records, so none is left to end \
         records: use wider tokens"
    )]
    NoSeparator {
        /// How many values there are.
        values: u64,
        /// Bits in a token.
        bits: usize,
    },
    /// A record holds the token that ends records.
    #[error(
        "record {row} holds the token {token} at {offset}, which was chosen to end records: \
         choose a value that no record holds"
    )]
    SeparatorInRecord {
        /// The record.
        row: u32,
        /// Offset in it, in tokens.
        offset: usize,
        /// The token.
        token: u32,
    },
    /// The caller asked to stop.
    #[error("stopped on request; what was finished is kept, start again to go on")]
    Cancelled,
}

impl Error {
    /// A parameter that is out of bounds.
    pub(crate) fn parameter(
        name: &'static str,
        value: impl ToString,
        expected: impl ToString,
    ) -> Self {
        Self::Parameter {
            name,
            value: value.to_string(),
            expected: expected.to_string(),
        }
    }

    /// An entry that is out of bounds.
    pub(crate) fn entry(
        what: &'static str,
        index: usize,
        value: impl ToString,
        expected: impl ToString,
    ) -> Self {
        Self::Entry {
            what,
            index,
            value: value.to_string(),
            expected: expected.to_string(),
        }
    }

    /// Refuses gradients with a coordinate that is not finite.
    pub(crate) fn check_finite(row: Option<u32>, gradient: &[f32]) -> Result<(), Self> {
        match gradient.iter().position(|value| !value.is_finite()) {
            Some(coordinate) => Err(Self::NotFinite {
                row,
                coordinate,
                value: gradient[coordinate].into(),
            }),
            None => Ok(()),
        }
    }

    /// Refuses sizes that differ.
    pub(crate) fn check_shape(
        what: &'static str,
        found: usize,
        expected: usize,
    ) -> Result<(), Self> {
        if found == expected {
            Ok(())
        } else {
            Err(Self::Shape {
                what,
                found,
                expected,
            })
        }
    }
}
