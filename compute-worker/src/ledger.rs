//! The books of a channel, on either side of it: receipts, running totals, vouchers, seals.
//!
//! Everything is one ACID file, so a killed process loses no receipt that it gave out and no voucher
//! that it got. A receipt is committed *before* it leaves the process.
//!
//! ## Seals
//!
//! A settlement must end in a receipt whose totals count from the mark that the chain has. Receipts
//! issued after it start from empty totals again. The operator therefore seals a channel when its last
//! receipt is vouched for: the sealed pair is what will be settled, and the next receipt starts anew.

use attribution_proof::{
    bounds::CHUNK_BYTES,
    challenge::{check_chain, Lie, Mark},
    influence::Query,
    receipt::{request_commit, response_salt, response_tree, ResponseChunkOpening, SignedReceipt},
    totals::Totals,
    voucher::SignedVoucher,
    Balance, ChannelId, ContributionId,
};
use codec::{Decode, DecodeAll, Encode};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use std::{path::Path, sync::Arc};

const BOOKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("books-1");
const RECEIPTS: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("receipts-1");

/// Why the ledger refused.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file failed: no space, no permission, another process has it.
    #[error("the ledger failed: {0}; free space, check permissions, or stop the other process, then start again")]
    Storage(Box<redb::Error>),
    /// The file holds something that this version does not write.
    #[error("the ledger holds an entry that cannot be decoded (channel {channel}); it was written by another version")]
    Format {
        /// Where.
        channel: ChannelId,
    },
    /// The receipt does not follow the last one.
    #[error("the receipt does not follow the last one of channel {channel}: {lie:?}")]
    Step {
        /// The channel.
        channel: ChannelId,
        /// What is wrong.
        lie: Lie,
    },
    /// The voucher names no receipt of the channel, or another sum than that receipt's.
    #[error("the voucher for receipt {sequence} of channel {channel} does not fit that receipt: sign the receipt that was given")]
    Voucher {
        /// The channel.
        channel: ChannelId,
        /// The receipt that it names.
        sequence: u64,
    },
    /// The voucher is not newer than the one at hand.
    #[error(
        "the voucher for receipt {sequence} of channel {channel} is spent: a newer one is at hand"
    )]
    Spent {
        /// The channel.
        channel: ChannelId,
        /// The receipt that it names.
        sequence: u64,
    },
}

impl<E: Into<redb::Error>> From<E> for LedgerError {
    fn from(error: E) -> Self {
        Self::Storage(Box::new(error.into()))
    }
}

/// A receipt with all that a demand or a challenge may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredReceipt {
    /// The receipt and the operator's signature.
    pub signed: SignedReceipt,
    /// Query vectors.
    pub query: Query,
    /// The request as it was hashed.
    pub request: Vec<u8>,
    /// The response.
    pub response: Vec<u8>,
    /// Secret of the response's salts.
    pub secret: attribution_proof::hash::Hash,
    /// The contribution that owns each datum.
    pub owners: Vec<ContributionId>,
}

impl StoredReceipt {
    /// Whether the request is the one that the receipt commits to.
    pub fn has_its_request(&self) -> bool {
        request_commit(&self.request) == self.signed.receipt.request
    }

    /// Whether the response, with the secret of its salts, is the one that the receipt commits to.
    pub fn has_its_response(&self) -> bool {
        let receipt = &self.signed.receipt;
        response_tree(&self.response, &self.secret).commitment() == receipt.response
            && usize::try_from(receipt.response_length) == Ok(self.response.len())
    }

    /// Whether the query vectors are those that the receipt commits to.
    pub fn has_its_query(&self) -> bool {
        self.query.commit() == self.signed.receipt.query
    }

    /// Opens a chunk of the response; nothing if it has no such chunk.
    pub fn open_chunk(&self, index: u32) -> Option<ResponseChunkOpening> {
        let data = self
            .response
            .chunks(CHUNK_BYTES as usize)
            .nth(usize::try_from(index).ok()?)?;
        Some(ResponseChunkOpening {
            index,
            salt: response_salt(&self.secret, index),
            data: data.to_vec().try_into().ok()?,
            path: response_tree(&self.response, &self.secret).path(index)?,
        })
    }
}

/// What is to be settled.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Seal {
    /// The voucher.
    pub voucher: SignedVoucher,
    /// The receipt that it ends in.
    pub receipt: SignedReceipt,
    /// Totals of the receipt, by which payees are paid after the window.
    pub totals: Totals,
}

/// Where a channel stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ChannelBook {
    /// After the last receipt.
    pub mark: Mark,
    /// Totals since the last seal.
    pub totals: Totals,
    /// The newest voucher.
    pub voucher: Option<SignedVoucher>,
    /// What waits to be settled on chain.
    pub seal: Option<Seal>,
    /// Where the last seal ended.
    pub sealed: Mark,
}

impl ChannelBook {
    /// What was answered and is not vouched for yet, in base units.
    pub fn unsigned(&self) -> Balance {
        let vouched = self
            .voucher
            .as_ref()
            .map_or(0, |signed| signed.voucher.cumulative);
        self.mark.cumulative.saturating_sub(vouched)
    }
}

/// The ledger of one worker or payer.
#[derive(Clone, Debug)]
pub struct Ledger {
    database: Arc<Database>,
}

fn decode<T: Decode>(channel: ChannelId, bytes: &[u8]) -> Result<T, LedgerError> {
    T::decode_all(&mut &*bytes).map_err(|_| LedgerError::Format { channel })
}

impl Ledger {
    /// Opens or creates the file. One process at a time can have it.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let database = Database::create(path)?;
        let write = database.begin_write()?;
        write.open_table(BOOKS)?;
        write.open_table(RECEIPTS)?;
        write.commit()?;
        Ok(Self {
            database: Arc::new(database),
        })
    }

    /// Where `channel` stands; an unknown one stands at its beginning.
    pub fn book(&self, channel: ChannelId) -> Result<ChannelBook, LedgerError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(BOOKS)?;
        let found = table.get(channel)?;
        found.map_or(Ok(ChannelBook::default()), |bytes| {
            decode(channel, bytes.value())
        })
    }

    /// All channels that have a book.
    pub fn channels(&self) -> Result<Vec<ChannelId>, LedgerError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(BOOKS)?;
        let keys = table.iter()?.map(|entry| Ok(entry?.0.value()));
        keys.collect::<Result<_, redb::StorageError>>()
            .map_err(Into::into)
    }

    /// A stored receipt.
    pub fn receipt(
        &self,
        channel: ChannelId,
        sequence: u64,
    ) -> Result<Option<StoredReceipt>, LedgerError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(RECEIPTS)?;
        let found = table.get((channel, sequence))?;
        found
            .map(|bytes| decode(channel, bytes.value()))
            .transpose()
    }

    fn update<T>(
        &self,
        channel: ChannelId,
        receipt: Option<&StoredReceipt>,
        change: impl FnOnce(&mut ChannelBook) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let write = self.database.begin_write()?;
        let value = {
            let mut books = write.open_table(BOOKS)?;
            let mut book = match books.get(channel)? {
                Some(bytes) => decode(channel, bytes.value())?,
                None => ChannelBook::default(),
            };
            let value = change(&mut book)?;
            books.insert(channel, book.encode().as_slice())?;
            if let Some(receipt) = receipt {
                let sequence = receipt.signed.receipt.sequence;
                write
                    .open_table(RECEIPTS)?
                    .insert((channel, sequence), receipt.encode().as_slice())?;
            }
            value
        };
        write.commit()?;
        Ok(value)
    }

    /// Appends a receipt that follows the last one, with the totals after it.
    pub fn append(&self, stored: &StoredReceipt, totals: Totals) -> Result<(), LedgerError> {
        let receipt = &stored.signed.receipt;
        let channel = receipt.channel;
        self.update(channel, Some(stored), |book| {
            if receipt.sequence != book.mark.sequence.saturating_add(1) {
                return Err(LedgerError::Step {
                    channel,
                    lie: Lie::BrokenChain,
                });
            }
            check_chain(&book.mark, receipt).map_err(|lie| LedgerError::Step { channel, lie })?;
            book.mark = Mark::after(receipt);
            book.totals = totals;
            Ok(())
        })
    }

    /// Keeps a voucher whose signature was checked: it must fit a stored receipt and be newer than the
    /// one at hand. The same voucher again is no error: its answer may have been lost.
    pub fn vouch(&self, signed: &SignedVoucher) -> Result<(), LedgerError> {
        let voucher = signed.voucher;
        let (channel, sequence) = (voucher.channel, voucher.sequence);
        let stored = self
            .receipt(channel, sequence)?
            .filter(|stored| {
                let receipt = &stored.signed.receipt;
                (receipt.cumulative, receipt.commit()) == (voucher.cumulative, voucher.receipt)
            })
            .ok_or(LedgerError::Voucher { channel, sequence })?;
        self.update(channel, None, |book| {
            match &book.voucher {
                Some(known) if known.voucher == voucher => return Ok(()),
                Some(known) if known.voucher.sequence >= stored.signed.receipt.sequence => {
                    return Err(LedgerError::Spent { channel, sequence });
                }
                _ => {}
            }
            book.voucher = Some(signed.clone());
            Ok(())
        })
    }

    /// Seals the channel if its last receipt is vouched for, something is to be settled and no earlier
    /// seal waits. Returns what to settle.
    pub fn seal(&self, channel: ChannelId) -> Result<Option<Seal>, LedgerError> {
        let book = self.book(channel)?;
        if book.seal.is_some() {
            return Ok(book.seal);
        }
        let Some(voucher) = book.voucher.filter(|signed| {
            signed.voucher.receipt == book.mark.receipt && book.mark != book.sealed
        }) else {
            return Ok(None);
        };
        let Some(stored) = self.receipt(channel, book.mark.sequence)? else {
            return Err(LedgerError::Format { channel });
        };
        self.update(channel, None, |current| {
            // Another thread may have appended a receipt since.
            if current.mark != book.mark {
                return Ok(None);
            }
            let totals = std::mem::take(&mut current.totals);
            let seal = Seal {
                voucher,
                receipt: stored.signed,
                totals,
            };
            current.sealed = current.mark;
            current.seal = Some(seal.clone());
            Ok(Some(seal))
        })
    }

    /// Forgets the seal once the chain's mark is there or past it.
    pub fn settled(&self, channel: ChannelId, on_chain: &Mark) -> Result<(), LedgerError> {
        self.update(channel, None, |book| {
            if book
                .seal
                .as_ref()
                .is_some_and(|seal| seal.voucher.voucher.sequence <= on_chain.sequence)
            {
                book.seal = None;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attribution_proof::{
        hash::Hash,
        merkle::Commitment,
        receipt::{Receipt, Sampling},
        voucher::Voucher,
    };
    use subxt_signer::sr25519::{dev, Signature};

    const CHANNEL: ChannelId = 4;

    fn signature(Signature(bytes): Signature) -> sp_runtime::MultiSignature {
        sp_runtime::MultiSignature::Sr25519(bytes.into())
    }

    fn stored(mark: &Mark, price: Balance) -> StoredReceipt {
        let receipt = Receipt {
            genesis: Hash::repeat_byte(1),
            channel: CHANNEL,
            sequence: mark.sequence + 1,
            previous: mark.receipt,
            ruleset: 0,
            model: 1,
            version: 1,
            request: Hash::zero(),
            response: Commitment::default(),
            response_length: 0,
            sampling: Sampling {
                temperature_milli: 0,
                top_p_millionths: 1_000_000,
                top_k: 0,
                maximum_tokens: 1,
                seed: 0,
            },
            tokens_in: 1,
            tokens_out: 1,
            price,
            cumulative: mark.cumulative + price,
            query: Query::default().commit(),
            audit: [0; 32],
            credits: Default::default(),
            spans: Default::default(),
            totals: Commitment::default(),
        };
        let signature = signature(dev::bob().sign(receipt.commit().as_bytes()));
        StoredReceipt {
            signed: SignedReceipt { receipt, signature },
            query: Query::default(),
            request: b"{}".to_vec(),
            response: Vec::new(),
            secret: Hash::zero(),
            owners: Vec::new(),
        }
    }

    fn voucher(stored: &StoredReceipt) -> SignedVoucher {
        let receipt = &stored.signed.receipt;
        let voucher = Voucher {
            genesis: receipt.genesis,
            channel: CHANNEL,
            sequence: receipt.sequence,
            cumulative: receipt.cumulative,
            receipt: receipt.commit(),
        };
        SignedVoucher {
            voucher,
            signature: signature(dev::alice().sign(&voucher.payload())),
        }
    }

    fn open() -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger")).unwrap();
        (folder, ledger)
    }

    #[test]
    fn success_receipts_vouchers_and_seals_survive_a_restart() {
        let (folder, ledger) = open();
        let first = stored(&Mark::default(), 10);
        ledger.append(&first, Totals::default()).unwrap();
        assert_eq!(
            ledger.seal(CHANNEL).unwrap(),
            None,
            "nothing is vouched for"
        );
        assert_eq!(ledger.book(CHANNEL).unwrap().unsigned(), 10);
        ledger.vouch(&voucher(&first)).unwrap();
        ledger.vouch(&voucher(&first)).unwrap();
        let seal = ledger
            .seal(CHANNEL)
            .unwrap()
            .expect("the last receipt is vouched for");
        let second = stored(&Mark::after(&first.signed.receipt), 5);
        ledger.append(&second, Totals::default()).unwrap();
        drop(ledger);
        let ledger = Ledger::open(&folder.path().join("ledger")).unwrap();
        assert_eq!(ledger.channels().unwrap(), [CHANNEL]);
        assert_eq!(ledger.receipt(CHANNEL, 1).unwrap(), Some(first.clone()));
        let book = ledger.book(CHANNEL).unwrap();
        assert_eq!(
            (book.unsigned(), book.seal.clone()),
            (5, Some(seal.clone()))
        );
        ledger.vouch(&voucher(&second)).unwrap();
        assert_eq!(
            ledger.seal(CHANNEL).unwrap(),
            Some(seal),
            "one seal at a time"
        );
        ledger
            .settled(CHANNEL, &Mark::after(&first.signed.receipt))
            .unwrap();
        let next = ledger.seal(CHANNEL).unwrap().unwrap();
        assert_eq!(next.receipt, second.signed);
    }

    #[test]
    fn fails_when_a_receipt_does_not_follow() {
        let (_folder, ledger) = open();
        let first = stored(&Mark::default(), 10);
        ledger.append(&first, Totals::default()).unwrap();
        let mut torn = stored(&Mark::after(&first.signed.receipt), 5);
        torn.signed.receipt.previous = Hash::zero();
        for wrong in [first, torn] {
            assert!(matches!(
                ledger.append(&wrong, Totals::default()),
                Err(LedgerError::Step { .. })
            ));
        }
        assert_eq!(ledger.book(CHANNEL).unwrap().mark.sequence, 1);
    }

    #[test]
    fn fails_when_a_voucher_is_spent_or_fits_no_receipt() {
        let (_folder, ledger) = open();
        let first = stored(&Mark::default(), 10);
        ledger.append(&first, Totals::default()).unwrap();
        let second = stored(&Mark::after(&first.signed.receipt), 5);
        let early = ledger.vouch(&voucher(&second));
        assert!(matches!(
            early,
            Err(LedgerError::Voucher { sequence: 2, .. })
        ));
        ledger.append(&second, Totals::default()).unwrap();
        ledger.vouch(&voucher(&second)).unwrap();
        let late = ledger.vouch(&voucher(&first));
        assert!(matches!(late, Err(LedgerError::Spent { sequence: 1, .. })));
        let mut other = voucher(&second);
        other.voucher.cumulative += 1;
        assert!(matches!(
            ledger.vouch(&other),
            Err(LedgerError::Voucher { .. })
        ));
    }

    #[test]
    fn fails_when_another_process_has_the_file() {
        let (folder, _ledger) = open();
        let error = Ledger::open(&folder.path().join("ledger")).unwrap_err();
        assert!(error.to_string().contains("other process"), "{error}");
    }
}
