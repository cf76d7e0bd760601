//! Contribution payloads: how a contributor's records lie in the content store, and the leaves that
//! the chain commits to.
//!
//! A payload is `b"OLDP" ‖ version: u8 ‖ SCALE(Vec<Vec<u8>>)`. It is published only after the
//! contribution is in a block, so that nobody can register it first.

use attribution_proof::{
    contribution::MediaType,
    hash::Hash,
    merkle::{Commitment, Tree},
    record::{check_text, content_tree, record_commit, record_leaf, Defect, RecordOpening},
    AccountId, ContentId,
};
use codec::{DecodeAll, Encode};

const MAGIC: &[u8; 4] = b"OLDP";
const VERSION: u8 = 1;

/// Largest record that workers take: records are loaded whole, and a training sequence never needs
/// more.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// Largest payload that workers take, in bytes: it is loaded whole.
pub const MAX_PAYLOAD_BYTES: usize = 16 * MAX_RECORD_BYTES;

/// Why records cannot be contributed, or a payload not be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// No records.
    #[error("a contribution needs at least one record")]
    Empty,
    /// A record is too large.
    #[error("record {record} has {bytes} bytes; the most is {MAX_RECORD_BYTES}: split it")]
    TooLarge {
        /// Index of the record.
        record: usize,
        /// Its size.
        bytes: usize,
    },
    /// All records together are too large.
    #[error("the records make a payload of {bytes} bytes; the most is {MAX_PAYLOAD_BYTES}: make several contributions of them")]
    TooLargeTogether {
        /// Size of the payload.
        bytes: usize,
    },
    /// A record breaks the rule of its media type.
    #[error("record {record} {}", explain(*defect))]
    Record {
        /// Index of the record.
        record: usize,
        /// What is wrong.
        defect: Defect,
    },
    /// Not a payload, or of another version.
    #[error("the blob is no contribution payload of version {VERSION}")]
    Format,
    /// The payload's records are not the ones that the contribution committed to.
    #[error(
        "the payload's records hash to {actual}, but the contribution committed to {committed}"
    )]
    Root {
        /// Root of the payload's records.
        actual: Hash,
        /// Root on chain.
        committed: Hash,
    },
}

/// What is wrong with a record, and what to do about it.
fn explain(defect: Defect) -> &'static str {
    match defect {
        Defect::Length => "is empty; leave it out",
        Defect::ChunkLength => "is cut into chunks of the wrong length; pack it again",
        Defect::NotUtf8 => "is not UTF-8 text; convert it, for example with iconv",
        Defect::ControlCharacter => "has a carriage return or NUL; `data pack --clean` removes it",
        Defect::TrailingBlank => {
            "has a blank or tab at the end of a line; `data pack --clean` removes it"
        }
    }
}

impl PayloadError {
    /// Index of the record that is to blame.
    pub fn record(&self) -> Option<usize> {
        match self {
            Self::TooLarge { record, .. } | Self::Record { record, .. } => Some(*record),
            _ => None,
        }
    }
}

/// A contributor's records with everything that the chain asks for.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The records.
    pub records: Vec<Vec<u8>>,
    /// Record commitments, by record.
    pub commits: Vec<Hash>,
    /// Record leaves, by record.
    pub leaves: Vec<Hash>,
    contents: Vec<Commitment>,
    tree: Tree,
}

impl Payload {
    /// Prepares public `records` of `contributor` and checks them as the chain would.
    pub fn new(
        contributor: &AccountId,
        media: MediaType,
        records: Vec<Vec<u8>>,
    ) -> Result<Self, PayloadError> {
        if records.is_empty() {
            return Err(PayloadError::Empty);
        }
        for (record, bytes) in records.iter().enumerate() {
            if bytes.len() > MAX_RECORD_BYTES {
                return Err(PayloadError::TooLarge {
                    record,
                    bytes: bytes.len(),
                });
            }
            let checked = match media {
                MediaType::Text => check_text(bytes),
                MediaType::Binary if bytes.is_empty() => Err(Defect::Length),
                MediaType::Binary => Ok(()),
            };
            checked.map_err(|defect| PayloadError::Record { record, defect })?;
        }
        let bytes = MAGIC.len() + 1 + records.encoded_size();
        if bytes > MAX_PAYLOAD_BYTES {
            return Err(PayloadError::TooLargeTogether { bytes });
        }
        let contents: Vec<_> = records
            .iter()
            .map(|bytes| content_tree(bytes).commitment())
            .collect();
        let commits: Vec<_> = contents
            .iter()
            .map(|content| record_commit(&Hash::zero(), content))
            .collect();
        let leaves: Vec<_> = (0u32..)
            .zip(&commits)
            .zip(&records)
            .map(|((index, commit), bytes)| {
                record_leaf(index, contributor, commit, bytes.len() as u32)
            })
            .collect();
        let tree = Tree::new(leaves.clone());
        Ok(Self {
            records,
            commits,
            leaves,
            contents,
            tree,
        })
    }

    /// The commitment that goes on chain.
    pub fn commitment(&self) -> Commitment {
        self.tree.commitment()
    }

    /// Sum of the records' bytes.
    pub fn bytes(&self) -> u64 {
        self.records.iter().map(|record| record.len() as u64).sum()
    }

    /// The blob for the content store.
    pub fn encode(&self) -> Vec<u8> {
        let mut blob = MAGIC.to_vec();
        blob.push(VERSION);
        self.records.encode_to(&mut blob);
        blob
    }

    /// The blob's id, known before it is published.
    pub fn content_id(&self) -> ContentId {
        crate::store::content_id(&self.encode())
    }

    /// Reads the records in a blob, whoever they are of: at least one.
    pub fn read_records(blob: &[u8]) -> Result<Vec<Vec<u8>>, PayloadError> {
        let body = blob
            .strip_prefix(MAGIC.as_slice())
            .and_then(|rest| rest.strip_prefix(&[VERSION]))
            .ok_or(PayloadError::Format)?;
        let records = Vec::<Vec<u8>>::decode_all(&mut &*body).map_err(|_| PayloadError::Format)?;
        if records.is_empty() {
            return Err(PayloadError::Empty);
        }
        Ok(records)
    }

    /// Reads a blob and checks it against what `contributor` committed to.
    pub fn decode(
        blob: &[u8],
        contributor: &AccountId,
        media: MediaType,
        committed: &Commitment,
    ) -> Result<Self, PayloadError> {
        let payload = Self::new(contributor, media, Self::read_records(blob)?)?;
        if payload.commitment() != *committed {
            return Err(PayloadError::Root {
                actual: payload.commitment().root,
                committed: committed.root,
            });
        }
        Ok(payload)
    }

    /// Proof that record `index` stands in the contribution.
    pub fn opening(&self, index: u32) -> Option<RecordOpening> {
        let at = usize::try_from(index).ok()?;
        Some(RecordOpening {
            index,
            salt: Hash::zero(),
            content: *self.contents.get(at)?,
            len: self.records.get(at)?.len() as u32,
            path: self.tree.path(index)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountId {
        AccountId::new([1; 32])
    }

    #[test]
    fn success_a_payload_survives_the_store_and_opens() {
        let records = vec![b"one\n".to_vec(), vec![b'x'; 3_000]];
        let payload = Payload::new(&account(), MediaType::Text, records.clone()).unwrap();
        let again = Payload::decode(
            &payload.encode(),
            &account(),
            MediaType::Text,
            &payload.commitment(),
        );
        assert_eq!(again.unwrap().records, records);
        for index in 0..2 {
            let opening = payload.opening(index).unwrap();
            assert_eq!(opening.verify(&account(), &payload.commitment()), Ok(()));
        }
        assert_eq!(payload.opening(2), None);
    }

    #[test]
    fn fails_when_records_are_missing_too_large_or_no_text() {
        let new = |records| Payload::new(&account(), MediaType::Text, records).map(|_| ());
        assert_eq!(new(vec![]), Err(PayloadError::Empty));
        assert_eq!(
            new(vec![b"fine".to_vec(), b"bad\r\n".to_vec()]),
            Err(PayloadError::Record {
                record: 1,
                defect: Defect::ControlCharacter
            })
        );
        assert_eq!(
            new(vec![vec![b'x'; MAX_RECORD_BYTES + 1]]),
            Err(PayloadError::TooLarge {
                record: 0,
                bytes: MAX_RECORD_BYTES + 1
            })
        );
        let together = new(vec![vec![b'x'; MAX_RECORD_BYTES]; 16]);
        assert!(matches!(
            together,
            Err(PayloadError::TooLargeTogether { .. })
        ));
    }

    #[test]
    fn fails_when_the_blob_is_another() {
        let payload = Payload::new(&account(), MediaType::Text, vec![b"one".to_vec()]).unwrap();
        let decode = |blob: &[u8], who: u8| {
            let who = AccountId::new([who; 32]);
            Payload::decode(blob, &who, MediaType::Text, &payload.commitment()).map(|_| ())
        };
        assert_eq!(decode(b"nonsense", 1), Err(PayloadError::Format));
        assert_eq!(decode(b"OLDP\x01\0", 1), Err(PayloadError::Empty));
        let mut cut = payload.encode();
        cut.pop();
        assert_eq!(decode(&cut, 1), Err(PayloadError::Format));
        assert!(matches!(
            decode(&payload.encode(), 2),
            Err(PayloadError::Root { .. })
        ));
    }
}
