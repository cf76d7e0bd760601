use std::{fs, sync::LazyLock};

use attribution_proof::influence::Row;
use proptest::prelude::*;

use super::*;
use crate::{
    influence::{
        tests::{gradients, index},
        Preconditioner, DAMPING,
    },
    scan,
};

const FIRST: usize = 5;
const DIMENSION: usize = 12;

/// An index of five rows in a file, and its folder.
fn saved() -> (tempfile::TempDir, std::path::PathBuf, Index) {
    let terms = Quantisation::for_dimension(DIMENSION as u32);
    let built = index(terms, &gradients(1, FIRST, DIMENSION));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    built.save(&path).unwrap();
    (folder, path, built)
}

fn extend(path: &std::path::Path, seed: u64, standings: &[Standing]) -> IndexReport {
    let mut extension = IndexExtension::new(&Index::open(path).unwrap(), standings).unwrap();
    let rows = extension.rows().to_vec();
    for (row, gradient) in rows.iter().zip(gradients(seed, rows.len(), DIMENSION)) {
        extension.set(*row, &gradient).unwrap();
    }
    extension.append_to(path).unwrap()
}

fn standings() -> Vec<Standing> {
    vec![
        Standing::DuplicateOf(2),
        Standing::Own,
        Standing::Absent,
        Standing::DuplicateOf(6),
        Standing::Own,
    ]
}

/// The bytes of an index with an addition, made once: writing one waits for the disk.
static EXTENDED: LazyLock<(tempfile::TempDir, Vec<u8>)> = LazyLock::new(|| {
    let (folder, path, _) = saved();
    extend(&path, 2, &standings());
    let whole = fs::read(&path).unwrap();
    (folder, whole)
});

#[test]
fn rows_are_added_behind_what_is_there() {
    let (_folder, path, built) = saved();
    let before = fs::read(&path).unwrap();
    let report = extend(&path, 2, &standings());
    let counts = (report.own, report.duplicates, report.absent, report.silent);
    assert_eq!(counts, (2, 2, 1, 0));
    extend(&path, 3, &[Standing::DuplicateOf(9), Standing::Own]);
    assert_eq!(fs::read(&path).unwrap()[..before.len()], before);

    let loaded = Index::load(&path).unwrap();
    let mapped = Index::open(&path).unwrap();
    mapped.verify().unwrap();
    assert_eq!(loaded, mapped);
    assert_eq!(mapped.len(), 12);
    assert_eq!(mapped.own_rows(), [0, 1, 2, 3, 4, 6, 9, 11]);
    assert_eq!(mapped.vectors().count(), 3);
    for row in 0..FIRST as u32 {
        assert_eq!(mapped.row(row), built.row(row));
    }
    assert_eq!(mapped.row(5), Some(Row::DuplicateOf(2)));
    assert_eq!(mapped.row(7), Some(Row::Absent));
    assert_eq!(mapped.row(10), Some(Row::DuplicateOf(9)));
    // The new rows are what they are in the unit of the first ones.
    let terms = built.quantisation();
    for (row, gradient) in [6, 9].into_iter().zip(gradients(2, 2, DIMENSION)) {
        let expected = terms.quantise(&gradient, built.unit()).unwrap();
        let Some(Row::Own { scale, g }) = mapped.row(row) else {
            panic!("row {row} has a gradient")
        };
        assert_eq!((scale, &g[..]), (expected.scale, &expected.g[..]));
    }

    // Written in one piece, it is the same index: root, preconditioner, best rows.
    let again = path.with_extension("again");
    mapped.save(&again).unwrap();
    let whole = Index::load(&again).unwrap();
    assert_eq!(whole, mapped);
    let leaves = [Hash::repeat_byte(3); 12];
    let root = |index: &Index| index.tree(1, &leaves).unwrap().commitment();
    assert_eq!(root(&whole), root(&mapped));
    let commit = |index| Preconditioner::new(index, DAMPING).unwrap().commit();
    assert_eq!(commit(&whole), commit(&mapped));
    let direction = super::super::Direction {
        values: (0..DIMENSION).map(|i| i as f64 - 3.0).collect(),
        unit: 1.0,
    };
    let query = super::super::quantise_query(&[(1, &direction)]).unwrap();
    let floor = attribution_proof::influence::CosineFloor {
        numerator: 1,
        denominator: 1_000,
    };
    let best = |index| scan::top_k(&[(1, index)], &query, 8, floor).unwrap();
    assert!(!best(&whole).is_empty());
    assert_eq!(best(&whole), best(&mapped));
}

#[test]
fn a_killed_addition_leaves_the_index_that_was_there() {
    let (_folder, path, built) = saved();
    let before = fs::read(&path).unwrap();
    extend(&path, 2, &standings());
    let after = fs::read(&path).unwrap();
    let start = before.len().next_multiple_of(512);
    // Whatever part of the rows was written, the header was not.
    for end in (before.len()..after.len()).step_by(7) {
        let mut torn = after[..end].to_vec();
        let header = start.min(end)..(start + 64).min(end);
        torn[header].fill(0);
        fs::write(&path, &torn).unwrap();
        assert_eq!(Index::load(&path).unwrap(), built);
        assert_eq!(Index::open(&path).unwrap(), built);
    }
    // The next addition takes its place.
    extend(&path, 2, &standings());
    assert_eq!(fs::read(&path).unwrap(), after);
}

#[test]
fn extensions_refuse_what_does_not_fit() {
    let (_folder, path, built) = saved();
    let refused = |standings: &[Standing]| IndexExtension::new(&built, standings).err().unwrap();
    let forward = refused(&[Standing::DuplicateOf(5)]).to_string();
    assert!(forward.contains("DuplicateOf(5) at row 5"), "{forward}");
    let mut extension = IndexExtension::new(&built, &[Standing::Own]).unwrap();
    assert_eq!(extension.rows(), [5]);
    assert!(extension.set(0, &[1.0; DIMENSION]).is_err());
    let ragged = extension.set(5, &[1.0; 3]).err().unwrap();
    assert!(matches!(ragged, Error::Shape { found: 3, .. }));
    let infinite = extension.set(5, &[f32::NAN; DIMENSION]).err().unwrap();
    assert!(matches!(infinite, Error::NotFinite { row: Some(5), .. }));
    let unfinished = extension.append_to(&path).err().unwrap().to_string();
    assert!(unfinished.contains("missing at row 5"), "{unfinished}");

    let extension = IndexExtension::new(&built, &[Standing::Absent]).unwrap();
    extend(&path, 2, &standings());
    let before = fs::read(&path).unwrap();
    let late = extension.append_to(&path).err().unwrap().to_string();
    assert!(late.contains("of 10 rows, by now"), "{late}");
    assert_eq!(fs::read(&path).unwrap(), before);
    let extension = IndexExtension::new(&built, &[Standing::Absent]).unwrap();
    let missing = extension.append_to(&path.with_extension("missing"));
    assert!(matches!(
        missing,
        Err(Error::Io {
            action: "append to",
            ..
        })
    ));

    // Another process is adding rows.
    let other = fs::File::open(&path).unwrap();
    other.lock().unwrap();
    let extension = IndexExtension::new(&Index::open(&path).unwrap(), &[Standing::Absent]).unwrap();
    let busy = extension.append_to(&path);
    assert!(matches!(
        busy,
        Err(Error::Io {
            action: "append to",
            ..
        })
    ));
}

#[test]
fn rows_beyond_the_unit_are_clipped_and_counted() {
    let (_folder, path, _) = saved();
    let mut extension =
        IndexExtension::new(&Index::open(&path).unwrap(), &[Standing::Own; 2]).unwrap();
    let large = gradients(1, 1, DIMENSION).remove(0);
    let large = large.iter().map(|value| value * 1e6).collect::<Vec<_>>();
    extension.set(5, &large).unwrap();
    extension.set(6, &[0.0; DIMENSION]).unwrap();
    let report = extension.append_to(&path).unwrap();
    assert_eq!((report.own, report.adjusted, report.silent), (1, 1, 1));
    let index = Index::load(&path).unwrap();
    let Some(Row::Own { scale, .. }) = index.row(5) else {
        panic!("row 5 has a gradient")
    };
    assert_eq!(scale, index.quantisation().scale_cap);
    assert_eq!(index.row(6), Some(Row::Absent));
}

#[test]
fn errors_say_where_and_what() {
    let (_folder, path, _) = saved();
    let base = fs::read(&path).unwrap();
    extend(&path, 2, &standings());
    let whole = fs::read(&path).unwrap();
    let start = base.len().next_multiple_of(512);
    let error = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        Index::load(&path).err().unwrap()
    };
    assert!(matches!(error(&|b| b[0] ^= 1), Error::WrongKind { .. }));
    assert!(matches!(error(&|b| b.clear()), Error::WrongKind { .. }));
    let other = error(&|b| b[8] = 2);
    assert!(matches!(other, Error::WrongVersion { found: 2, .. }));
    let order = error(&|b| b[8..12].reverse()).to_string();
    assert!(
        order.contains("at byte 8") && order.contains("most significant"),
        "{order}"
    );
    let cut = error(&|b| b.truncate(base.len() - 1));
    assert!(matches!(cut, Error::WrongLength { .. }));
    let cut = error(&|b| b.truncate(whole.len() - 1));
    assert!(matches!(cut, Error::WrongLength { expected, .. } if expected == whole.len() as u64));
    let cut = error(&|b| b.truncate(start + 40));
    assert!(matches!(cut, Error::WrongLength { .. }));
    assert!(matches!(error(&|b| b[60] ^= 1), Error::Checksum { .. }));
    let between = error(&|b| b[base.len()] = 1);
    assert!(matches!(between, Error::Header { offset, .. } if offset == base.len()));
    for (offset, place) in [(0, 0), (8, 8), (20, 56), (30, 56), (60, 56)] {
        let header = error(&|b| b[start + offset] ^= 1);
        let expected = start + place;
        assert!(
            matches!(header, Error::Header { offset, .. } if offset == expected),
            "{header}"
        );
    }
    let added = error(&|b| b[whole.len() - 1] ^= 1);
    assert!(matches!(
        added,
        Error::Section {
            section: "addition",
            ..
        }
    ));

    // Sums that match, contents that do not.
    let forged = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = base.clone();
        change(&mut bytes);
        let end = bytes.len() - 32;
        let checksum = blake3::hash(&bytes[..end]);
        bytes[end..].copy_from_slice(checksum.as_bytes());
        fs::write(&path, bytes).unwrap();
        Index::load(&path).err().unwrap().to_string()
    };
    let vectors = base.len() - 32 - FIRST * DIMENSION;
    let third = vectors + 2 * DIMENSION;
    let value = forged(&|b| b[third] = 0x80);
    let place = format!("payload byte {}: row 2 holds the value -128", third - 20);
    assert!(value.contains(&place), "{value}");
    let norm = forged(&|b| b[third..third + DIMENSION].fill(0));
    assert!(norm.contains("the norm of row 2"), "{norm}");
    let scale = forged(&|b| b[vectors - 4..vectors - 2].fill(0));
    assert!(scale.contains("the scale of row 3"), "{scale}");
    let duplicate = forged(&|b| b[54 + 4..54 + 8].copy_from_slice(&4_u32.to_le_bytes()));
    assert!(
        duplicate.contains("row 1, a duplicate, points forward"),
        "{duplicate}"
    );
    let rows = forged(&|b| b[50..54].fill(0xff));
    assert!(rows.contains("number of records"), "{rows}");
    let unit = forged(&|b| b[42..50].fill(0xff));
    assert!(unit.contains("unit NaN"), "{unit}");
    let dimension = forged(&|b| b[20..24].fill(0xff));
    assert!(dimension.contains("dimension 4294967295"), "{dimension}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_flipped_bit_goes_unnoticed(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let (folder, whole) = &*EXTENDED;
        let path = folder.path().join(format!("{:?}", std::thread::current().id()));
        let mut bytes = whole.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(&path, bytes).unwrap();
        prop_assert!(Index::load(&path).is_err());
        // What opening does not look at, verification does.
        prop_assert!(Index::open(&path).and_then(|index| index.verify()).is_err());
    }
}
