//! Which requests were sent and not paid for yet.
//!
//! An answer may get lost on its way while its receipt exists. The journal tells a receipt that is owed
//! from one that the operator made up, also after a restart.

use crate::ledger::LedgerError;
use attribution_proof::hash::Hash;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use std::{path::Path, sync::Arc};

/// How often each request is under way, by its commitment.
const REQUESTS: TableDefinition<'_, &[u8], u64> = TableDefinition::new("requests-1");

/// The journal, one ACID file.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    database: Arc<Database>,
}

impl Journal {
    /// Opens or creates the file. One process at a time can have it.
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
        let database = Database::create(path)?;
        let write = database.begin_write()?;
        write.open_table(REQUESTS)?;
        write.commit()?;
        Ok(Self {
            database: Arc::new(database),
        })
    }

    fn change(&self, request: &Hash, change: impl FnOnce(u64) -> u64) -> Result<(), LedgerError> {
        let write = self.database.begin_write()?;
        {
            let mut table = write.open_table(REQUESTS)?;
            let count = table
                .get(request.as_bytes())?
                .map_or(0, |count| count.value());
            match change(count) {
                0 => table.remove(request.as_bytes())?,
                count => table.insert(request.as_bytes(), count)?,
            };
        }
        write.commit()?;
        Ok(())
    }

    /// Notes a request before it is sent.
    pub(super) fn begin(&self, request: &Hash) -> Result<(), LedgerError> {
        self.change(request, |count| count.saturating_add(1))
    }

    /// Forgets a request that was paid for, or refused.
    pub(super) fn end(&self, request: &Hash) -> Result<(), LedgerError> {
        self.change(request, |count| count.saturating_sub(1))
    }

    /// Whether a request is under way.
    pub(super) fn contains(&self, request: &Hash) -> Result<bool, LedgerError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(REQUESTS)?;
        let found = table.get(request.as_bytes())?.is_some();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_requests_are_counted_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests");
        let (one, other) = (Hash::repeat_byte(1), Hash::repeat_byte(2));
        let journal = Journal::open(&path).unwrap();
        journal.begin(&one).unwrap();
        journal.begin(&one).unwrap();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        journal.end(&one).unwrap();
        assert!(journal.contains(&one).unwrap());
        assert!(!journal.contains(&other).unwrap());
        journal.end(&one).unwrap();
        journal.end(&other).unwrap();
        assert!(!journal.contains(&one).unwrap());
    }
}
