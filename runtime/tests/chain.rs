//! A chain in memory, started from a genesis preset.

use codec::Encode;
use frame_support::{
    storage::{with_transaction_unchecked, TransactionOutcome},
    traits::DisabledValidators,
};
use openledger_runtime::{
    constants::{
        currency::TOTAL_SUPPLY,
        time::{EPOCH_DURATION_IN_SLOTS, SLOT_DURATION_MILLISECONDS},
    },
    genesis_presets, Babe, Balance, Balances, Executive, Header, Runtime, RuntimeCall,
    RuntimeEvent, RuntimeGenesisConfig, Session, Signature, SignedPayload, System, TxExtension,
    UncheckedExtrinsic,
};
use serde_json::Value;
use sp_consensus_babe::digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest};
use sp_genesis_builder::PresetId;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    generic::Era, traits::Header as _, transaction_validity::InvalidTransaction,
    ApplyExtrinsicResult, BuildStorage, Digest, DigestItem, DispatchError,
};
use sp_staking::EraIndex;

pub(crate) use crate::books::check_books;

/// A slot to start at. On a real chain the first slot is as far from 1970.
const FIRST_SLOT: u64 = 600_000_000;

/// A chain, seen from inside its state.
pub(crate) struct Chain {
    parent: Header,
    slot: u64,
}

/// The genesis configuration of the preset `name`.
pub(crate) fn genesis_config(name: &str) -> RuntimeGenesisConfig {
    let patch = genesis_presets::get_preset(&PresetId::from(name)).expect("the preset exists");
    patched_config(serde_json::from_slice(&patch).expect("presets are JSON"))
}

/// The genesis configuration that `patch` makes of the default.
pub(crate) fn patched_config(patch: Value) -> RuntimeGenesisConfig {
    let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("serialises");
    merge(&mut config, patch);
    serde_json::from_value(config).expect("patches name only fields that exist")
}

/// Overwrites `target` with what `patch` says, as a chain specification's patch does.
fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

/// Runs `test` on a chain that has just been started from the preset `name`.
pub(crate) fn run_on<Outcome>(name: &str, test: impl FnOnce(&mut Chain) -> Outcome) -> Outcome {
    run_with(genesis_config(name), test)
}

/// The same on a chain that starts from `config`.
pub(crate) fn run_with<Outcome>(
    config: RuntimeGenesisConfig,
    test: impl FnOnce(&mut Chain) -> Outcome,
) -> Outcome {
    let storage = config.build_storage().expect("the configuration builds");
    TestExternalities::new(storage).execute_with(|| {
        let mut chain = Chain::at_genesis();
        check_books();
        let outcome = test(&mut chain);
        check_books();
        outcome
    })
}

impl Chain {
    /// The chain whose state is at hand and has no block yet.
    pub(crate) fn at_genesis() -> Self {
        let genesis = Header::new(
            0,
            Default::default(),
            Default::default(),
            Default::default(),
            Digest::default(),
        );
        // The first block writes this; transactions for it are signed before.
        frame_system::BlockHash::<Runtime>::insert(0, genesis.hash());
        Self {
            parent: genesis,
            slot: FIRST_SLOT,
        }
    }

    /// The header that the next block starts from, and its inherent.
    pub(crate) fn begin_block(&mut self) -> (Header, UncheckedExtrinsic) {
        self.slot += 1;
        // Authors take turns, except those that are disabled for an offence.
        let authors: Vec<u32> = (0..Babe::authorities().len() as u32)
            .filter(|index| !Session::is_disabled(*index))
            .collect();
        let digest =
            DigestItem::babe_pre_digest(PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
                authority_index: authors[(self.slot % authors.len() as u64) as usize],
                slot: self.slot.into(),
            }));
        let header = Header::new(
            self.parent.number + 1,
            Default::default(),
            Default::default(),
            self.parent.hash(),
            Digest { logs: vec![digest] },
        );
        let now = self.slot * SLOT_DURATION_MILLISECONDS;
        let timestamp = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now });
        (header, UncheckedExtrinsic::new_bare(timestamp))
    }

    /// The next block follows the one of this header.
    pub(crate) fn end_block(&mut self, header: Header) {
        self.parent = header;
    }

    /// Makes the next block with `transactions` in it and says what became of each.
    pub(crate) fn next_block(
        &mut self,
        transactions: Vec<UncheckedExtrinsic>,
    ) -> Vec<ApplyExtrinsicResult> {
        let (header, timestamp) = self.begin_block();
        Executive::initialize_block(&header);
        Executive::apply_extrinsic(timestamp)
            .expect("the timestamp is valid")
            .expect("the timestamp is accepted");
        let results = transactions.into_iter().map(apply).collect();
        self.end_block(Executive::finalize_block());
        check_books();
        results
    }

    /// Makes a block with `signer`'s `call` in it, and before it an empty one if need be: the block
    /// that ends a session counts as full, and transactions wait for the next.
    pub(crate) fn submit(
        &mut self,
        signer: Sr25519Keyring,
        call: impl Into<RuntimeCall>,
    ) -> Result<(), DispatchError> {
        self.submit_all([(signer, call.into())]).remove(0)
    }

    /// The same with calls of several signers in one block.
    pub(crate) fn submit_all(
        &mut self,
        calls: impl IntoIterator<Item = (Sr25519Keyring, RuntimeCall)>,
    ) -> Vec<Result<(), DispatchError>> {
        let transactions: Vec<_> = calls
            .into_iter()
            .map(|(signer, call)| sign(signer, call, 0))
            .collect();
        let mut results = self.next_block(transactions.clone());
        let full = Err(InvalidTransaction::ExhaustsResources.into());
        if results.iter().all(|result| *result == full) {
            results = self.next_block(transactions);
        }
        results
            .into_iter()
            .map(|result| result.expect("the transaction is valid"))
            .collect()
    }

    /// Makes `count` blocks in as many slots.
    pub(crate) fn advance(&mut self, count: u32) {
        for _ in 0..count {
            self.next_block(Vec::new());
        }
    }

    /// Ends the session in the next block: no block was made for the rest of its epoch.
    pub(crate) fn next_session(&mut self) {
        let end = u64::from(Babe::current_epoch_start()) + EPOCH_DURATION_IN_SLOTS;
        self.stand_still_until(end);
        self.next_block(Vec::new());
    }

    /// Makes no block before the slot `slot`.
    pub(crate) fn stand_still_until(&mut self, slot: u64) {
        self.slot = self.slot.max(slot - 1);
    }

    /// The slot of the last block.
    pub(crate) fn slot(&self) -> u64 {
        self.slot
    }

    /// Ends sessions until the next era is active, and returns the era that it ended.
    pub(crate) fn next_era(&mut self) -> EraIndex {
        let ended = active_era();
        while active_era() == ended {
            self.next_session();
        }
        ended
    }
}

/// Applies a transaction and, as a block's author does, undoes everything when it does not fit.
fn apply(transaction: UncheckedExtrinsic) -> ApplyExtrinsicResult {
    let result = with_transaction_unchecked(|| match Executive::apply_extrinsic(transaction) {
        Ok(outcome) => TransactionOutcome::Commit(Ok(outcome)),
        Err(error) => TransactionOutcome::Rollback(Err(error)),
    });
    assert_eq!(
        Balances::total_issuance(),
        TOTAL_SUPPLY,
        "no transaction mints or burns"
    );
    result
}

/// The number in the environment variable `name`, or `default`.
pub(crate) fn parameter(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| {
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is {value:?} instead of a number"))
    })
}

/// The era that is going on.
pub(crate) fn active_era() -> EraIndex {
    // Nothing is active before the first block.
    pallet_staking::ActiveEra::<Runtime>::get().map_or(0, |era| era.index)
}

/// A transaction of `signer`, valid for the next block.
pub(crate) fn sign(
    signer: Sr25519Keyring,
    call: impl Into<RuntimeCall>,
    tip: Balance,
) -> UncheckedExtrinsic {
    sign_with_nonce(
        signer,
        call,
        tip,
        System::account_nonce(signer.to_account_id()),
    )
}

/// A transaction of `signer` that follows `nonce` others.
pub(crate) fn sign_with_nonce(
    signer: Sr25519Keyring,
    call: impl Into<RuntimeCall>,
    tip: Balance,
    nonce: u32,
) -> UncheckedExtrinsic {
    let extension: TxExtension = (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckMortality::from(Era::Immortal),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(tip),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        frame_system::WeightReclaim::new(),
    );
    let payload =
        SignedPayload::new(call.into(), extension).expect("the extensions' data is at hand");
    let signature = Signature::Sr25519(payload.using_encoded(|bytes| signer.sign(bytes)));
    let (call, extension, _) = payload.deconstruct();
    UncheckedExtrinsic::new_signed(call, signer.to_account_id().into(), signature, extension)
}

/// Events of the last block.
pub(crate) fn events() -> Vec<RuntimeEvent> {
    System::events()
        .into_iter()
        .map(|record| record.event)
        .collect()
}
