//! The list of pallets whose calls can be benchmarked through the runtime.

use alloc::{string::String, vec::Vec};

use frame_benchmarking::{
    baseline::Pallet as BaselineBench, define_benchmarks, BenchmarkBatch, BenchmarkConfig,
    BenchmarkList,
};
use frame_support::traits::{StorageInfo, StorageInfoTrait, WhitelistedStorageKeys};
use frame_system_benchmarking::{
    extensions::Pallet as SystemExtensionsBench, Pallet as SystemBench,
};

use crate::*;

impl frame_benchmarking::baseline::Config for Runtime {}
impl frame_system_benchmarking::Config for Runtime {}
impl pallet_transaction_payment::BenchmarkConfig for Runtime {}

define_benchmarks!(
    [frame_benchmarking, BaselineBench::<Runtime>]
    [frame_system, SystemBench::<Runtime>]
    [frame_system_extensions, SystemExtensionsBench::<Runtime>]
    [pallet_timestamp, Timestamp]
    [pallet_balances, Balances]
    [pallet_transaction_payment, TransactionPayment]
    [pallet_preimage, Preimage]
    [pallet_scheduler, Scheduler]
    [pallet_babe, Babe]
    [pallet_staking, Staking]
    [pallet_grandpa, Grandpa]
    [pallet_bags_list, VoterList]
    [pallet_conviction_voting, ConvictionVoting]
    [pallet_referenda, Referenda]
    [pallet_treasury, Treasury]
    [pallet_utility, Utility]
    [pallet_multisig, Multisig]
    [pallet_datanets, Datanets]
    [pallet_models, Models]
    [pallet_compute, Compute]
    [pallet_channels, Channels]
    [pallet_attribution, Attribution]
);

/// What can be benchmarked, and the storage that it may touch.
pub(crate) fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
    let mut list = Vec::<BenchmarkList>::new();
    list_benchmarks!(list, extra);
    (list, AllPalletsWithSystem::storage_info())
}

/// Runs what `config` asks for.
pub(crate) fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
    let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    let mut batches = Vec::<BenchmarkBatch>::new();
    let params = (&config, &whitelist);
    add_benchmarks!(params, batches);
    Ok(batches)
}
