//! Batches, derived accounts and multi-signature accounts.

use frame_support::{parameter_types, traits::ConstU32};

use crate::{
    constants::currency::deposit, Balance, Balances, OriginCaller, Runtime, RuntimeCall,
    RuntimeEvent, System,
};

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = OriginCaller;
    type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
    /// Deposit for one pending operation: its key (32 + 32 bytes) and fixed part (24 bytes).
    pub const MultisigDepositBase: Balance = deposit(1, 88);
    /// Deposit for each signatory that the operation has to remember.
    pub const MultisigDepositFactor: Balance = deposit(0, 32);
}

impl pallet_multisig::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type DepositBase = MultisigDepositBase;
    type DepositFactor = MultisigDepositFactor;
    type MaxSignatories = ConstU32<100>;
    type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
    type BlockNumberProvider = System;
}
