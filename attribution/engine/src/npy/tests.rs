use proptest::prelude::*;
use tempfile::tempdir;

use super::*;

/// A file of version `major`.0 with this header and these value bytes.
fn bytes(major: u8, header: &str, values: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend([major, 0]);
    if major == 1 {
        bytes.extend((header.len() as u16).to_le_bytes());
    } else {
        bytes.extend((header.len() as u32).to_le_bytes());
    }
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

fn read_bytes<T: Element>(bytes: &[u8]) -> Result<Array<T>, Error> {
    let directory = tempdir().unwrap();
    let path = directory.path().join("a.npy");
    std::fs::write(&path, bytes).unwrap();
    read(&path)
}

fn error(header: &str) -> String {
    read_bytes::<f32>(&bytes(1, header, &[0; 24]))
        .unwrap_err()
        .to_string()
}

#[test]
fn reads_what_numpy_writes() {
    // numpy.save of numpy.arange(6, dtype="<f4").reshape(2, 3), header and padding as NumPy 2.4 makes
    // them.
    let mut header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".to_owned();
    header.push_str(&" ".repeat(118 - 1 - header.len()));
    header.push('\n');
    let values = (0..6_u8).flat_map(|value| f32::from(value).to_le_bytes());
    let values = values.collect::<Vec<_>>();
    for version in 1..=3 {
        let array = read_bytes::<f32>(&bytes(version, &header, &values)).unwrap();
        assert_eq!(array.rows_and_columns().unwrap(), (2, 3));
        assert_eq!(array.values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }
    // The writer makes the same bytes but for the comma after the last length.
    let directory = tempdir().unwrap();
    let path = directory.path().join("a.npy");
    write(&path, &[2, 3], &[0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    let written = std::fs::read(&path).unwrap();
    assert_eq!(written.len(), 128 + 24);
    assert_eq!(written[128..], values);
    // Other orders, quotes and spacing are the same dictionary.
    let other = "\n{ \"shape\":(6,),'descr':'<f4' , 'fortran_order' : False}";
    let array = read_bytes::<f32>(&bytes(1, other, &values)).unwrap();
    assert_eq!(array.shape, [6]);
    assert!(array.rows_and_columns().is_err());
}

#[test]
fn every_type_comes_back() {
    fn check<T: Element + PartialEq + std::fmt::Debug>(values: Vec<T>) {
        let directory = tempdir().unwrap();
        let path = directory.path().join("a.npy");
        write(&path, &[values.len()], &values).unwrap();
        let expected = Header {
            data_type: T::TYPE,
            shape: vec![values.len()],
            count: values.len(),
        };
        assert_eq!(header(&path).unwrap(), expected);
        assert_eq!(read::<T>(&path).unwrap().values, values);
    }
    check(vec![f32::MIN_POSITIVE, -0.5, f32::INFINITY]);
    check(vec![f64::MAX, f64::EPSILON]);
    check(vec![i32::MIN, 0, i32::MAX]);
    check(vec![i64::MIN, 0, i64::MAX]);
    check(vec![0, u32::MAX]);
    check(vec![0, u8::MAX]);
    // More than one buffer, and not a multiple of it.
    check((0..40_001).map(f64::from).collect::<Vec<_>>());
}

#[test]
fn shapes_may_be_empty() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("a.npy");
    write(&path, &[], &[7_u8]).unwrap();
    assert_eq!(read::<u8>(&path).unwrap().shape, [0_usize; 0]);
    write::<f32>(&path, &[0, 5], &[]).unwrap();
    let array = read::<f32>(&path).unwrap();
    assert_eq!((array.shape, array.values), (vec![0, 5], vec![]));
}

#[test]
fn refuses_other_varieties() {
    for (header, expected) in [
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}",
            "type <f8, but <f4 is needed",
        ),
        (
            "{'descr': '>f4', 'fortran_order': False, 'shape': (6,)}",
            ".astype(\"<f4\")",
        ),
        (
            "{'descr': '<f2', 'fortran_order': False, 'shape': (12,)}",
            "\"<f2\", but they must be one of <f4, <f8",
        ),
        (
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}",
            "are records",
        ),
        (
            "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}",
            "ascontiguousarray",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
            "larger than this machine",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}",
            "larger than this machine",
        ),
    ] {
        let found = error(header);
        assert!(found.contains(expected), "{header}: {found}");
    }
    let mut wrong = bytes(4, "{}", &[]);
    let found = read_bytes::<f32>(&wrong).unwrap_err().to_string();
    assert!(found.contains("version is 4.0"), "{found}");
    wrong[6..12].copy_from_slice(&[2, 0, 0, 0, 1, 0]);
    let found = read_bytes::<f32>(&wrong).unwrap_err().to_string();
    assert!(found.contains("header has 65536 bytes"), "{found}");
}

#[test]
fn refuses_malformed_headers() {
    let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    assert!(read_bytes::<f32>(&bytes(1, good, &[0; 24])).is_ok());
    for (header, expected) in [
        ("", "no '{'"),
        (
            "{'descr': '<f4', 'shape': (2, 3)}",
            "without the key \"fortran_order\"",
        ),
        (
            "{'fortran_order': False, 'shape': (2, 3)}",
            "without the key \"descr\"",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False}",
            "without the key \"shape\"",
        ),
        (
            "{'descr': '<f4', 'descr': '<f4'}",
            "\"descr\" a second time",
        ),
        ("{'order': 'C'}", "unknown key \"order\""),
        ("{'descr' '<f4'}", "no ':'"),
        ("{'descr': '<f4' 'shape': (2, 3)}", "no '}'"),
        ("{'descr': '<f4", "a string without end"),
        ("{'descr': '\\x3cf4'}", "escapes"),
        ("{descr: '<f4'}", "something else than a string"),
        ("{'fortran_order': 0}", "True or False"),
        ("{'shape': (6)}", "a tuple is needed"),
        ("{'shape': 6}", "no '('"),
        ("{'shape': (2, -3)}", "something else than a length"),
        ("{'shape': (2, 3L)}", "no ')'"),
        ("{'shape': (99999999999999999999,)}", "cannot be addressed"),
        (&format!("{good} x"), "text after the dictionary"),
        (
            &format!("{{'shape': ({})}}", "1,".repeat(65)),
            "more than 64 dimensions",
        ),
    ] {
        let found = error(header);
        assert!(found.contains(expected), "{header}: {found}");
    }
}

#[test]
fn refuses_other_lengths() {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    let whole = bytes(2, header, &[0; 24]);
    for end in 0..whole.len() {
        let error = read_bytes::<f32>(&whole[..end]).unwrap_err();
        if end < MAGIC.len() {
            assert!(matches!(error, Error::WrongKind { .. }), "{end}: {error}");
        } else {
            assert!(matches!(error, Error::WrongLength { .. }), "{end}: {error}");
        }
    }
    let mut longer = whole;
    longer.push(0);
    let error = read_bytes::<f32>(&longer).unwrap_err();
    assert!(matches!(error, Error::WrongLength { .. }), "{error}");
    // A terabyte that is not there is not allocated.
    let forged = "{'descr': '<f4', 'fortran_order': False, 'shape': (274877906944,)}";
    let error = read_bytes::<f32>(&bytes(1, forged, &[0; 8])).unwrap_err();
    assert!(matches!(error, Error::WrongLength { .. }), "{error}");
}

#[test]
fn refuses_to_write_what_does_not_fit() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("a.npy");
    assert!(matches!(
        write(&path, &[2, 2], &[1.0_f32; 3]),
        Err(Error::Shape {
            found: 3,
            expected: 4,
            ..
        })
    ));
    assert!(matches!(
        write(&path, &[1; 65], &[1.0_f32]),
        Err(Error::Parameter { .. })
    ));
    assert!(matches!(
        write::<u8>(&path, &[usize::MAX, 2], &[]),
        Err(Error::Unsupported { .. })
    ));
    assert!(!path.exists());
    let nowhere = directory.path().join("missing").join("a.npy");
    assert!(matches!(
        write(&nowhere, &[1], &[1.0_f32]),
        Err(Error::Io {
            action: "write",
            ..
        })
    ));
    assert!(matches!(
        read::<f32>(&nowhere),
        Err(Error::Io { action: "read", .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arrays_come_back(shape in prop::collection::vec(0_usize..5, 0..5), seed in any::<i64>()) {
        let count = shape.iter().product::<usize>();
        let values = (0..count as i64).map(|i| seed.wrapping_mul(i)).collect::<Vec<_>>();
        let directory = tempdir().unwrap();
        let path = directory.path().join("a.npy");
        write(&path, &shape, &values).unwrap();
        prop_assert_eq!(read::<i64>(&path).unwrap(), Array { shape, values });
        let start = std::fs::metadata(&path).unwrap().len() - 8 * count as u64;
        prop_assert_eq!(start % ALIGNMENT as u64, 0);
    }

    #[test]
    fn damaged_headers_never_panic(at in 0_usize..70, byte in any::<u8>()) {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
        let mut bytes = bytes(1, header, &[0; 24]);
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(array) = read_bytes::<f32>(&bytes) {
            prop_assert_eq!(array.values.len(), array.shape.iter().product::<usize>());
        }
    }
}
