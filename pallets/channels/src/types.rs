//! What this pallet stores and returns, and what it asks of others.

use attribution_proof::{
    challenge::Mark, ruleset::Ruleset, AccountId, Balance, BlockNumber, ChannelId, RulesetId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A payment channel, from its opening until it is closed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Channel {
    /// Who pays. The deposit is held on this account and what is left of it returns here.
    pub payer: AccountId,
    /// Whose signature makes a voucher valid. Often a key that an application keeps, so that the
    /// payer's own key can stay offline.
    pub signer: AccountId,
    /// The operator who answers and claims.
    pub payee: AccountId,
    /// What is still held for this channel, in base units.
    pub deposit: Balance,
    /// Ruleset that was current at the opening. It governs the channel and all its receipts.
    pub ruleset: RulesetId,
    /// Block of the opening.
    pub opened_at: BlockNumber,
    /// Block from which the payee should answer no more. One dispute period later anybody may
    /// close.
    pub expiry: BlockNumber,
    /// Set when the payer asked to close: the first block in which anybody may.
    pub closing: Option<BlockNumber>,
    /// How far the channel is settled. It only ever advances.
    pub mark: Mark,
}

impl Channel {
    /// The first block in which anybody may close the channel: one dispute period after its expiry,
    /// or when the payer's request has waited as long, whichever is earlier.
    pub fn closable_at(&self, dispute_period: BlockNumber) -> BlockNumber {
        let lapse = self.expiry.saturating_add(dispute_period);
        self.closing.map_or(lapse, |closing| closing.min(lapse))
    }
}

/// A claimed voucher: what moved, and from which mark to which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The channel.
    pub channel: ChannelId,
    /// Who paid.
    pub payer: AccountId,
    /// Ruleset of the channel.
    pub ruleset: RulesetId,
    /// Where the channel was settled before.
    pub from: Mark,
    /// Where it is settled now.
    pub to: Mark,
    /// The difference of the two cumulative amounts, in base units.
    pub amount: Balance,
}

/// Why a channel was closed.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum CloseCause {
    /// The dispute period after the payer's request or after the expiry was over.
    #[codec(index = 0)]
    Lapsed,
    /// Payer and payee agreed.
    #[codec(index = 1)]
    Agreed,
    /// The payee gave it up.
    #[codec(index = 2)]
    ByPayee,
}

/// What this pallet asks of the registry of operators.
pub trait Operators {
    /// Whether channels to `operator` may be opened under `ruleset`: registered, not leaving, and
    /// bonded as the ruleset wants it.
    fn may_open(operator: &AccountId, ruleset: &Ruleset) -> bool;
    /// A channel to `operator` was opened. His bond has to stay until it is closed.
    fn channel_opened(operator: &AccountId);
    /// A channel to `operator` was closed. Called exactly once for each opened one.
    fn channel_closed(operator: &AccountId);
}

/// What the benchmarks need from the runtime that runs them.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper {
    /// Makes an account that [`BenchmarkHelper::sign`] can sign for an operator to whom channels
    /// may be opened under the current ruleset, and returns it.
    fn operator() -> AccountId;
    /// Signs `payload` for that account, in the scheme that takes longest to verify (ECDSA).
    fn sign(operator: &AccountId, payload: &[u8]) -> sp_runtime::MultiSignature;
}
