//! NumPy's `.npy` files: arrays of numbers with their shape.
//!
//! ```text
//! "\x93NUMPY" ‖ major u8 ‖ minor u8 ‖ header length (u16, from version 2 on u32) ‖ header ‖ values
//! ```
//!
//! The header is a Python dictionary with the keys `descr`, `fortran_order` and `shape` (NumPy
//! Enhancement Proposal 1; versions 1.0, 2.0 and 3.0). What is read is narrow: little-endian numbers of
//! six types, in C order, of exactly the length that the header implies. Anything else is refused with
//! the reason. Values are not looked at: whoever uses them decides whether a NaN is an error.
//!
//! ```
//! use attribution_engine::npy;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("gradients.npy");
//! npy::write(&path, &[2, 3], &[1.0_f32, 0.0, -2.0, 0.5, 0.5, 0.5])?;
//! let array = npy::read::<f32>(&path)?;
//! assert_eq!(array.rows_and_columns()?, (2, 3));
//! // Nothing is converted without being asked for.
//! assert!(npy::read::<f64>(&path).unwrap_err().to_string().contains("<f4"));
//! # Ok(())
//! # }
//! ```

use std::{
    fs::File,
    io::{BufReader, Read, Write},
    path::Path,
};

use crate::{file, Error};

const MAGIC: [u8; 6] = *b"\x93NUMPY";
/// The name of the format in messages.
const NAME: &str = "NumPy array (.npy)";
/// Longest header that is read. NumPy's own limit is 10,000; an array's header has about 100 bytes.
const MAX_HEADER: u64 = 65_535;
/// Most dimensions that are read, as in NumPy.
const MAX_DIMENSIONS: usize = 64;
/// NumPy aligns values to this many bytes, so that files can be mapped to memory.
const ALIGNMENT: usize = 64;
/// Bytes converted at a time.
const CHUNK: usize = 1 << 16;

/// The types of values that are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// `<f4`, [`f32`].
    F32,
    /// `<f8`, [`f64`].
    F64,
    /// `<i4`, [`i32`].
    I32,
    /// `<i8`, [`i64`].
    I64,
    /// `<u4`, [`u32`].
    U32,
    /// `|u1`, [`u8`].
    U8,
}

impl DataType {
    const ALL: [Self; 6] = [
        Self::F32,
        Self::F64,
        Self::I32,
        Self::I64,
        Self::U32,
        Self::U8,
    ];

    /// Its name in the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "<f4",
            Self::F64 => "<f8",
            Self::I32 => "<i4",
            Self::I64 => "<i8",
            Self::U32 => "<u4",
            Self::U8 => "|u1",
        }
    }

    /// Bytes of a value.
    pub fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }
}

/// A type of values that arrays can have.
pub trait Element: Copy + sealed::Bytes {
    /// Its type in the header.
    const TYPE: DataType;
}

mod sealed {
    /// Conversion from and to little-endian bytes.
    pub trait Bytes: Sized {
        /// Appends the values of whole elements.
        fn decode(bytes: &[u8], out: &mut Vec<Self>);
        /// Appends the bytes of elements.
        fn encode(values: &[Self], out: &mut Vec<u8>);
    }
}

macro_rules! element {
    ($($type:ty => $variant:ident),+ $(,)?) => {$(
        impl Element for $type {
            const TYPE: DataType = DataType::$variant;
        }

        impl sealed::Bytes for $type {
            fn decode(bytes: &[u8], out: &mut Vec<Self>) {
                let (elements, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
                out.extend(elements.iter().map(|bytes| Self::from_le_bytes(*bytes)));
            }

            fn encode(values: &[Self], out: &mut Vec<u8>) {
                out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
        }
    )+};
}

element! { f32 => F32, f64 => F64, i32 => I32, i64 => I64, u32 => U32, u8 => U8 }

/// What the header of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Type of the values.
    pub data_type: DataType,
    /// Length of each dimension; none for a single number.
    pub shape: Vec<usize>,
    /// Number of values.
    pub count: usize,
}

/// An array in C order: the last index varies fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<T> {
    /// Length of each dimension; none for a single number.
    pub shape: Vec<usize>,
    /// As many values as the product of the lengths.
    pub values: Vec<T>,
}

impl<T> Array<T> {
    /// Rows and columns of a two-dimensional array.
    ///
    /// # Errors
    /// When it has another number of dimensions.
    pub fn rows_and_columns(&self) -> Result<(usize, usize), Error> {
        match self.shape[..] {
            [rows, columns] => Ok((rows, columns)),
            _ => Err(Error::parameter(
                "number of dimensions of an array",
                self.shape.len(),
                "2: rows and columns",
            )),
        }
    }
}

/// Reads the header of a file and checks that the file has the length that the header implies.
///
/// # Errors
/// As [`read`], types aside.
pub fn header(path: &Path) -> Result<Header, Error> {
    open(path).map(|(_, header)| header)
}

/// Reads an array whose values have the type `T`. Nothing is converted.
///
/// # Errors
/// When the file cannot be read, is no `.npy` file, has an unknown version, a malformed header, values
/// of another type or byte order, Fortran order, more values than can be addressed, or is shorter or
/// longer than its header says.
pub fn read<T: Element>(path: &Path) -> Result<Array<T>, Error> {
    let (mut file, header) = open(path)?;
    if header.data_type != T::TYPE {
        return Err(unsupported(
            path,
            format!(
                "its values have the type {found}, but {expected} is needed: convert them with \
                 .astype(\"{expected}\")",
                found = header.data_type.name(),
                expected = T::TYPE.name(),
            ),
        ));
    }
    let mut values = Vec::new();
    values
        .try_reserve_exact(header.count)
        .map_err(|_| too_large(path, &header.shape))?;
    let mut buffer = vec![0; CHUNK];
    while values.len() < header.count {
        let size = T::TYPE.size();
        let bytes = &mut buffer[..CHUNK.min((header.count - values.len()) * size)];
        file.read_exact(bytes)
            .map_err(|source| failed(path, source))?;
        T::decode(bytes, &mut values);
    }
    Ok(Array {
        shape: header.shape,
        values,
    })
}

/// Writes an array in C order, in the lowest version that holds its header. The file appears under its
/// name only when it is complete.
///
/// # Errors
/// When there are not as many values as the shape implies, too many dimensions, or the file cannot be
/// written.
pub fn write<T: Element>(path: &Path, shape: &[usize], values: &[T]) -> Result<(), Error> {
    if shape.len() > MAX_DIMENSIONS {
        return Err(Error::parameter(
            "number of dimensions of an array",
            shape.len(),
            format!("at most {MAX_DIMENSIONS}"),
        ));
    }
    let count = count(shape).ok_or_else(|| too_large(path, shape))?;
    Error::check_shape("array", values.len(), count)?;
    let lengths = shape
        .iter()
        .map(|length| format!("{length},"))
        .collect::<Vec<_>>()
        .join(" ");
    let mut header = format!(
        "{{'descr': '{}', 'fortran_order': False, 'shape': ({lengths}), }}",
        T::TYPE.name()
    );
    // 64 dimensions of 20 digits stay far below the 65,535 bytes of version 1.0.
    let prelude = MAGIC.len() + 4;
    let unpadded = prelude + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(ALIGNMENT) - unpadded));
    header.push('\n');
    file::replace(path, |out| {
        out.write_all(&MAGIC)?;
        out.write_all(&[1, 0])?;
        out.write_all(&(header.len() as u16).to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        let mut buffer = Vec::with_capacity(CHUNK);
        for chunk in values.chunks(CHUNK / T::TYPE.size()) {
            buffer.clear();
            T::encode(chunk, &mut buffer);
            out.write_all(&buffer)?;
        }
        Ok(())
    })
}

/// Opens a file, reads its header and leaves the reader at the first value.
fn open(path: &Path) -> Result<(BufReader<File>, Header), Error> {
    let file = File::open(path).map_err(|source| failed(path, source))?;
    let found = file
        .metadata()
        .map_err(|source| failed(path, source))?
        .len();
    let mut file = BufReader::with_capacity(CHUNK, file);
    let mut read = |count: u64| {
        let mut bytes = Vec::new();
        (&mut file)
            .take(count)
            .read_to_end(&mut bytes)
            .map_err(|source| failed(path, source))?;
        Ok(bytes)
    };
    let magic = read(MAGIC.len() as u64)?;
    if magic != MAGIC {
        return Err(Error::WrongKind {
            path: path.to_owned(),
            expected: NAME,
            found: magic,
        });
    }
    let wrong_length = |expected| Error::WrongLength {
        path: path.to_owned(),
        found,
        expected,
    };
    let mut start = MAGIC.len() as u64 + 4;
    let [major, minor, low, high] = read(4)?[..] else {
        return Err(wrong_length(start));
    };
    let length = match (major, minor) {
        (1, 0) => u64::from(u16::from_le_bytes([low, high])),
        (2 | 3, 0) => {
            start += 2;
            let [third, fourth] = read(2)?[..] else {
                return Err(wrong_length(start));
            };
            u64::from(u32::from_le_bytes([low, high, third, fourth]))
        }
        _ => {
            let problem = format!("its format version is {major}.{minor}, known are 1.0 to 3.0");
            return Err(unsupported(path, problem));
        }
    };
    if length > MAX_HEADER {
        let problem = format!("its header has {length} bytes, the limit is {MAX_HEADER}");
        return Err(unsupported(path, problem));
    }
    start += length;
    let text = read(length)?;
    if text.len() as u64 != length {
        return Err(wrong_length(start));
    }
    let header = Parser {
        path,
        text: &text,
        at: 0,
    }
    .header()?;
    let bytes = header.count as u64 * header.data_type.size() as u64;
    // Checked before anything is allocated: a forged shape must not ask for a terabyte.
    match start.checked_add(bytes) {
        Some(expected) if expected == found => Ok((file, header)),
        Some(expected) => Err(wrong_length(expected)),
        None => Err(too_large(path, &header.shape)),
    }
}

/// The number of values of an array whose bytes can be addressed with any type.
fn count(shape: &[usize]) -> Option<usize> {
    // Lengths of zero must not hide that the others overflow.
    let product = |shape: &[usize]| {
        shape
            .iter()
            .filter(|length| **length > 0)
            .try_fold(1_usize, |product, length| product.checked_mul(*length))
    };
    let all = product(shape)?;
    all.checked_mul(8)
        .filter(|bytes| isize::try_from(*bytes).is_ok())?;
    Some(if shape.contains(&0) { 0 } else { all })
}

fn failed(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    }
}

fn unsupported(path: &Path, problem: String) -> Error {
    Error::Unsupported {
        path: path.to_owned(),
        problem,
    }
}

fn too_large(path: &Path, shape: &[usize]) -> Error {
    unsupported(
        path,
        format!("an array of shape {shape:?} is larger than this machine's memory"),
    )
}

/// Reads the dictionary of the header: these three keys, in any order, each once.
struct Parser<'a> {
    path: &'a Path,
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn header(mut self) -> Result<Header, Error> {
        let (mut data_type, mut fortran, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while !self.accept(b'}') {
            let start = self.at;
            let key = self.string()?;
            self.expect(b':')?;
            let again = match &*key {
                "descr" => data_type.replace(self.data_type()?).is_some(),
                "fortran_order" => fortran.replace(self.boolean()?).is_some(),
                "shape" => shape.replace(self.shape()?).is_some(),
                _ => {
                    self.at = start;
                    return Err(self.malformed(format!("the unknown key {key:?}")));
                }
            };
            if again {
                self.at = start;
                return Err(self.malformed(format!("the key {key:?} a second time")));
            }
            if !self.accept(b',') {
                self.expect(b'}')?;
                break;
            }
        }
        self.skip_space();
        if self.at < self.text.len() {
            return Err(self.malformed("text after the dictionary"));
        }
        let missing = |key: &str| self.malformed(format!("the end without the key {key:?}"));
        let data_type = data_type.ok_or_else(|| missing("descr"))?;
        let shape = shape.ok_or_else(|| missing("shape"))?;
        if fortran.ok_or_else(|| missing("fortran_order"))? {
            return Err(unsupported(
                self.path,
                "its values are in Fortran order: save it with numpy.ascontiguousarray(array)"
                    .to_owned(),
            ));
        }
        let count = count(&shape).ok_or_else(|| too_large(self.path, &shape))?;
        Ok(Header {
            data_type,
            shape,
            count,
        })
    }

    fn data_type(&mut self) -> Result<DataType, Error> {
        self.skip_space();
        let known = DataType::ALL.map(DataType::name).join(", ");
        if self.text.get(self.at) == Some(&b'[') {
            let problem = format!("its values are records, but they must be one of {known}");
            return Err(unsupported(self.path, problem));
        }
        let name = self.string()?;
        if let Some(known) = DataType::ALL.into_iter().find(|known| known.name() == name) {
            return Ok(known);
        }
        let problem = match name.strip_prefix('>') {
            Some(rest) => format!(
                "its values are big-endian ({name}): convert them with .astype(\"<{rest}\")"
            ),
            None => format!("its values have the type {name:?}, but they must be one of {known}"),
        };
        Err(unsupported(self.path, problem))
    }

    fn boolean(&mut self) -> Result<bool, Error> {
        self.skip_space();
        for (word, value) in [("True", true), ("False", false)] {
            if self.text[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.malformed("something else than True or False"))
    }

    /// A tuple of lengths: `()`, `(3,)`, `(3, 4)`, `(3, 4,)`. A tuple of one needs its comma.
    fn shape(&mut self) -> Result<Vec<usize>, Error> {
        self.expect(b'(')?;
        let mut shape = Vec::new();
        while !self.accept(b')') {
            if shape.len() == MAX_DIMENSIONS {
                return Err(self.malformed(format!("more than {MAX_DIMENSIONS} dimensions")));
            }
            shape.push(self.length()?);
            if !self.accept(b',') {
                if shape.len() == 1 {
                    return Err(self.malformed("a number where a tuple is needed"));
                }
                self.expect(b')')?;
                break;
            }
        }
        Ok(shape)
    }

    fn length(&mut self) -> Result<usize, Error> {
        self.skip_space();
        let digits = self.text[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let text = &self.text[self.at..self.at + digits];
        let number = text.iter().try_fold(0_usize, |number, digit| {
            number.checked_mul(10)?.checked_add((digit - b'0').into())
        });
        match number {
            Some(number) if digits > 0 => {
                self.at += digits;
                Ok(number)
            }
            Some(_) => Err(self.malformed("something else than a length")),
            None => Err(self.malformed("a length that cannot be addressed")),
        }
    }

    /// A quoted string without escapes.
    fn string(&mut self) -> Result<String, Error> {
        self.skip_space();
        let quote = match self.text.get(self.at) {
            Some(quote @ (b'\'' | b'"')) => *quote,
            _ => return Err(self.malformed("something else than a string")),
        };
        let rest = &self.text[self.at + 1..];
        let Some(length) = rest.iter().position(|byte| *byte == quote) else {
            return Err(self.malformed("a string without end"));
        };
        let text = &rest[..length];
        if !text
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~' if *byte != b'\\'))
        {
            return Err(self.malformed("a string with escapes or special characters"));
        }
        self.at += length + 2;
        Ok(text.iter().map(|byte| char::from(*byte)).collect())
    }

    fn skip_space(&mut self) {
        let space = self.text[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        self.at += space;
    }

    fn accept(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.accept(byte) {
            Ok(())
        } else {
            Err(self.malformed(format!("no {:?}", char::from(byte))))
        }
    }

    fn malformed(&self, found: impl ToString) -> Error {
        Error::Malformed {
            path: self.path.to_owned(),
            offset: self.at,
            problem: format!("the header has {} there", found.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
