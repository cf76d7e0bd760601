//! Why talking to the chain failed.

/// Why the chain could not be read or did not take a transaction.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// No node answers.
    #[error("no node answers at {url}: {reason}; start one there, or name another with --node ws://host:port")]
    Unreachable {
        /// Where.
        url: String,
        /// What the connection said.
        reason: String,
    },
    /// Another chain answers than the one that this worker began with.
    #[error("the node at {url} is on another chain now (genesis {found}, was {expected}); restart the worker with an empty folder if that is intended")]
    OtherChain {
        /// Where.
        url: String,
        /// Genesis hash of the chain that was connected to first.
        expected: String,
        /// Genesis hash of the chain that answers now.
        found: String,
    },
    /// The chain's runtime differs from the one that this worker was built for.
    #[error("the chain's {item} differs from what this worker was built for; install the worker of the chain's release (runtime {spec_version})")]
    Incompatible {
        /// The call or storage entry.
        item: String,
        /// Version of the chain's runtime.
        spec_version: u32,
    },
    /// A read failed.
    #[error("cannot read {item} from the chain: {reason}; check that the node is synchronised and try again")]
    Read {
        /// What was read.
        item: String,
        /// The cause.
        reason: String,
    },
    /// The transaction did not get into a block.
    #[error("transaction {call} was not included: {reason}; nothing was changed, send it again when the cause is gone")]
    NotIncluded {
        /// `Pallet.call`.
        call: String,
        /// What the pool or the node said.
        reason: String,
    },
    /// The transaction is in a block and failed there.
    #[error("transaction {call} failed: {pallet}.{name}: {documentation}")]
    Failed {
        /// `Pallet.call`.
        call: String,
        /// The pallet whose error it is, or `Runtime`.
        pallet: String,
        /// Name of the error.
        name: String,
        /// What the runtime says about it.
        documentation: String,
    },
}

impl ChainError {
    /// Whether a transaction failed with this error of this pallet.
    pub fn is(&self, pallet: &str, name: &str) -> bool {
        matches!(self, Self::Failed { pallet: p, name: n, .. } if p == pallet && n == name)
    }

    /// Whether the same request may succeed later without any other change.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Read { .. } | Self::NotIncluded { .. }
        )
    }
}
