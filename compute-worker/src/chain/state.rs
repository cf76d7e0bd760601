//! What is read from the chain. Everything is read at the best block.

use super::{
    compatibility::has_storage,
    connection::{AtBlock, Fault},
    AccountInfo, ChainError, Channel, Client, ContributionDetails, DatanetDetails, Demand, Job,
    JobState, Operator, Settlement, Standing,
};
use attribution_proof::{
    contribution::Snapshot,
    model::{Manifest, ModelKind},
    ruleset::Ruleset,
    split::Builders,
    AccountId, Balance, BlockNumber, ChannelId, ContributionId, DatanetId, JobId, ModelId,
    RulesetId, SettlementId,
};
use std::{collections::BTreeMap, fmt::Display};
use subxt::{
    dynamic::storage,
    storage::{Address, DynamicAddress, PrefixOf},
    utils::Static,
};

/// Defines where each entry lies, and lists them.
macro_rules! entries {
    ($($name:ident: $address:ty = $pallet:literal, $entry:literal;)+) => {
        mod address {
            use super::*;
            $(pub(super) fn $name() -> $address {
                storage($pallet, $entry)
            })+
        }

        /// Pallet and name of every entry that is read.
        #[cfg(test)]
        pub(super) const ENTRIES: &[(&str, &str)] = &[$(($pallet, $entry)),+];
    };
}

type Value<V> = DynamicAddress<(), Static<V>>;
type Map<K, V> = DynamicAddress<(K,), Static<V>>;
type DoubleMap<K, L, V> = DynamicAddress<(K, L), Static<V>>;

entries! {
    channels: Map<ChannelId, Channel> = "Channels", "Channels";
    channels_of_payer: DoubleMap<Static<AccountId>, ChannelId, ()> = "Channels", "ChannelsOfPayer";
    channels_of_payee: DoubleMap<Static<AccountId>, ChannelId, ()> = "Channels", "ChannelsOfPayee";
    rulesets: Map<RulesetId, Ruleset> = "Attribution", "RulesetOf";
    current_ruleset: Value<RulesetId> = "Attribution", "CurrentRuleset";
    settlements: Map<SettlementId, Settlement> = "Attribution", "Settlements";
    demands: DoubleMap<SettlementId, u64, Demand> = "Attribution", "Demands";
    manifests: Map<ModelId, Manifest> = "Models", "Manifests";
    builders: Map<ModelId, Builders> = "Models", "BuildersOf";
    retired: Map<ModelId, ()> = "Models", "Retired";
    voided: Map<ModelId, ()> = "Models", "Voided";
    jobs: Map<JobId, Job> = "Compute", "Jobs";
    operators: Map<Static<AccountId>, Operator> = "Compute", "Operators";
    datanets: Map<DatanetId, DatanetDetails> = "Datanets", "Datanets";
    accepted: DoubleMap<DatanetId, u32, ContributionId> = "Datanets", "Accepted";
    contributions: Map<ContributionId, ContributionDetails> = "Datanets", "Contributions";
    record_tombstones: DoubleMap<ContributionId, u32, BlockNumber> = "Datanets", "RecordTombstones";
    epoch_start: Value<(BlockNumber, BlockNumber)> = "Babe", "EpochStart";
    accounts: Map<Static<AccountId>, AccountInfo> = "System", "Account";
}

async fn get<A: Address>(
    at: &AtBlock,
    address: A,
    keys: A::KeyParts,
) -> Result<Option<A::Value>, Fault> {
    check(at, &address)?;
    let storage = at.storage();
    let value = storage.try_fetch(address, keys).await.map_err(fault)?;
    value.map(|value| value.decode().map_err(fault)).transpose()
}

/// Refuses an entry that is stored in another way than this worker knows.
fn check(at: &AtBlock, address: &impl Address) -> Result<(), Fault> {
    let (pallet, entry) = (address.pallet_name(), address.entry_name());
    if has_storage(at.metadata_ref(), pallet, entry) {
        Ok(())
    } else {
        let item = format!("storage {pallet}.{entry}");
        Err(Fault::Incompatible {
            item,
            spec_version: at.spec_version(),
        })
    }
}

/// All entries under a prefix.
async fn all<A: Address, P: PrefixOf<A::KeyParts>>(
    at: &AtBlock,
    address: A,
    prefix: P,
) -> Result<Vec<(A::KeyParts, A::Value)>, Fault> {
    check(at, &address)?;
    let mut entries = at.storage().iter(address, prefix).await.map_err(fault)?;
    let mut found = Vec::new();
    while let Some(entry) = entries.next().await {
        let entry = entry.map_err(fault)?;
        let key = entry.key().and_then(|key| key.decode()).map_err(fault)?;
        found.push((key, entry.value().decode().map_err(fault)?));
    }
    Ok(found)
}

fn fault(error: impl Display) -> Fault {
    Fault::Other(error.to_string())
}

impl Client {
    /// An open channel.
    pub async fn channel(&self, channel: ChannelId) -> Result<Option<Channel>, ChainError> {
        self.read(&format!("channel {channel}"), |at| async move {
            Ok(get(&at, address::channels(), (channel,))
                .await?
                .map(|found| found.0))
        })
        .await
    }

    /// The open channels of a payee, ascending.
    pub async fn channels_of_payee(
        &self,
        payee: &AccountId,
    ) -> Result<Vec<(ChannelId, Channel)>, ChainError> {
        self.read(&format!("channels of payee {payee}"), |at| async move {
            let prefix = (Static(payee.clone()),);
            let ids = all(&at, address::channels_of_payee(), prefix).await?;
            named_channels(&at, ids).await
        })
        .await
    }

    /// The open channels of a payer, ascending.
    pub async fn channels_of_payer(
        &self,
        payer: &AccountId,
    ) -> Result<Vec<(ChannelId, Channel)>, ChainError> {
        self.read(&format!("channels of payer {payer}"), |at| async move {
            let prefix = (Static(payer.clone()),);
            let ids = all(&at, address::channels_of_payer(), prefix).await?;
            named_channels(&at, ids).await
        })
        .await
    }

    /// A ruleset.
    pub async fn ruleset(&self, ruleset: RulesetId) -> Result<Option<Ruleset>, ChainError> {
        self.read(&format!("ruleset {ruleset}"), |at| async move {
            Ok(get(&at, address::rulesets(), (ruleset,))
                .await?
                .map(|found| found.0))
        })
        .await
    }

    /// The newest ruleset and its number.
    pub async fn current_ruleset(&self) -> Result<(RulesetId, Ruleset), ChainError> {
        self.read("the current ruleset", |at| async move {
            let number = get(&at, address::current_ruleset(), ())
                .await?
                .map_or(0, |found| found.0);
            let ruleset = get(&at, address::rulesets(), (number,)).await?;
            let ruleset =
                ruleset.ok_or_else(|| Fault::Other(format!("ruleset {number} is not there")))?;
            Ok((number, ruleset.0))
        })
        .await
    }

    /// The manifest of a model.
    pub async fn manifest(&self, model: ModelId) -> Result<Option<Manifest>, ChainError> {
        self.read(&format!("model {model}"), |at| async move {
            Ok(get(&at, address::manifests(), (model,))
                .await?
                .map(|found| found.0))
        })
        .await
    }

    /// All manifests, ascending.
    pub async fn models(&self) -> Result<Vec<(ModelId, Manifest)>, ChainError> {
        self.read("the models", |at| async move {
            map(&at, address::manifests()).await
        })
        .await
    }

    /// Who shares the builder's fee of a model, in parts per billion.
    pub async fn builders(&self, model: ModelId) -> Result<Option<Builders>, ChainError> {
        self.read(&format!("builders of model {model}"), |at| async move {
            Ok(get(&at, address::builders(), (model,))
                .await?
                .map(|found| found.0))
        })
        .await
    }

    /// The model and then its base: whose indexes an answer of this model addresses. Empty for an
    /// unknown model.
    pub async fn lineage(&self, model: ModelId) -> Result<Vec<ModelId>, ChainError> {
        Ok(
            match self.manifest(model).await?.map(|manifest| manifest.kind) {
                None => Vec::new(),
                Some(ModelKind::Base) => vec![model],
                Some(ModelKind::Adapter { base }) => vec![model, base],
            },
        )
    }

    /// What may still be done with a model; nothing for an unknown one.
    pub async fn standing(&self, model: ModelId) -> Result<Option<Standing>, ChainError> {
        self.read(&format!("standing of model {model}"), |at| async move {
            if get(&at, address::manifests(), (model,)).await?.is_none() {
                Ok(None)
            } else if get(&at, address::voided(), (model,)).await?.is_some() {
                Ok(Some(Standing::Voided))
            } else if get(&at, address::retired(), (model,)).await?.is_some() {
                Ok(Some(Standing::Retired))
            } else {
                Ok(Some(Standing::Live))
            }
        })
        .await
    }

    /// A job.
    pub async fn job(&self, job: JobId) -> Result<Option<Job>, ChainError> {
        self.read(&format!("job {job}"), |at| async move {
            Ok(get(&at, address::jobs(), (job,))
                .await?
                .map(|found| found.0))
        })
        .await
    }

    /// All jobs that were not forgotten, ascending.
    pub async fn jobs(&self) -> Result<Vec<(JobId, Job)>, ChainError> {
        self.read(
            "the jobs",
            |at| async move { map(&at, address::jobs()).await },
        )
        .await
    }

    /// The jobs that wait for an operator, ascending.
    pub async fn open_jobs(&self) -> Result<Vec<(JobId, Job)>, ChainError> {
        let mut jobs = self.jobs().await?;
        jobs.retain(|(_, job)| matches!(job.state, JobState::Open { .. }));
        Ok(jobs)
    }

    /// An operator.
    pub async fn operator(&self, account: &AccountId) -> Result<Option<Operator>, ChainError> {
        self.read(&format!("operator {account}"), |at| async move {
            let keys = (Static(account.clone()),);
            Ok(get(&at, address::operators(), keys)
                .await?
                .map(|found| found.0))
        })
        .await
    }

    /// A Datanet.
    pub async fn datanet(&self, datanet: DatanetId) -> Result<Option<DatanetDetails>, ChainError> {
        self.read(&format!("Datanet {datanet}"), |at| async move {
            Ok(get(&at, address::datanets(), (datanet,))
                .await?
                .map(|found| found.0))
        })
        .await
    }

    /// The newest snapshot of a Datanet.
    pub async fn snapshot(&self, datanet: DatanetId) -> Result<Option<Snapshot>, ChainError> {
        Ok(self
            .datanet(datanet)
            .await?
            .map(|details| details.snapshot(datanet)))
    }

    /// The accepted contribution number `index` of a Datanet.
    pub async fn accepted(
        &self,
        datanet: DatanetId,
        index: u32,
    ) -> Result<Option<ContributionId>, ChainError> {
        self.read(
            &format!("contribution {index} of Datanet {datanet}"),
            |at| async move {
                Ok(get(&at, address::accepted(), (datanet, index))
                    .await?
                    .map(|found| found.0))
            },
        )
        .await
    }

    /// The accepted contributions of a Datanet in order, so that position and index agree.
    pub async fn accepted_contributions(
        &self,
        datanet: DatanetId,
    ) -> Result<Vec<ContributionId>, ChainError> {
        self.read(
            &format!("contributions of Datanet {datanet}"),
            |at| async move {
                let mut found = all(&at, address::accepted(), (datanet,)).await?;
                found.sort_by_key(|((_, index), _)| *index);
                Ok(found
                    .into_iter()
                    .map(|(_, contribution)| contribution.0)
                    .collect())
            },
        )
        .await
    }

    /// A contribution.
    pub async fn contribution(
        &self,
        contribution: ContributionId,
    ) -> Result<Option<ContributionDetails>, ChainError> {
        self.read(&format!("contribution {contribution}"), |at| async move {
            Ok(get(&at, address::contributions(), (contribution,))
                .await?
                .map(|found| found.0))
        })
        .await
    }

    /// The records of a contribution that fell one by one, with the block from which each does not
    /// count.
    pub async fn record_tombstones(
        &self,
        contribution: ContributionId,
    ) -> Result<BTreeMap<u32, BlockNumber>, ChainError> {
        self.read(
            &format!("records of contribution {contribution}"),
            |at| async move {
                let found = all(&at, address::record_tombstones(), (contribution,)).await?;
                Ok(found
                    .into_iter()
                    .map(|((_, record), at)| (record, at.0))
                    .collect())
            },
        )
        .await
    }

    /// The open demands of a settlement by number.
    pub async fn demands(
        &self,
        settlement: SettlementId,
    ) -> Result<BTreeMap<u64, Demand>, ChainError> {
        self.read(
            &format!("demands of settlement {settlement}"),
            |at| async move {
                let found = all(&at, address::demands(), (settlement,)).await?;
                Ok(found
                    .into_iter()
                    .map(|((_, number), demand)| (number, demand.0))
                    .collect())
            },
        )
        .await
    }

    /// The block from which a record does not count: that of its own fall or of its contribution's
    /// end, whichever is earlier.
    pub async fn record_tombstoned_at(
        &self,
        contribution: ContributionId,
        record: u32,
    ) -> Result<Option<BlockNumber>, ChainError> {
        let item = format!("record {record} of contribution {contribution}");
        self.read(&item, |at| async move {
            let own = get(&at, address::record_tombstones(), (contribution, record)).await?;
            let whole = get(&at, address::contributions(), (contribution,)).await?;
            let whole = whole
                .and_then(|details| details.0.tombstone)
                .map(|tombstone| tombstone.at);
            Ok(own.map(|at| at.0).into_iter().chain(whole).min())
        })
        .await
    }

    /// A settlement that is pending or not yet paid out.
    pub async fn settlement(
        &self,
        settlement: SettlementId,
    ) -> Result<Option<Settlement>, ChainError> {
        self.read(&format!("settlement {settlement}"), |at| async move {
            Ok(get(&at, address::settlements(), (settlement,))
                .await?
                .map(|found| found.0))
        })
        .await
    }

    /// The settlements that are pending or not yet paid out, ascending.
    pub async fn settlements(&self) -> Result<Vec<(SettlementId, Settlement)>, ChainError> {
        self.read("the settlements", |at| async move {
            map(&at, address::settlements()).await
        })
        .await
    }

    /// The settlements of a channel that are pending or not yet paid out, ascending.
    pub async fn settlements_of_channel(
        &self,
        channel: ChannelId,
    ) -> Result<Vec<(SettlementId, Settlement)>, ChainError> {
        let mut settlements = self.settlements().await?;
        settlements.retain(|(_, settlement)| settlement.channel == channel);
        Ok(settlements)
    }

    /// The first block of the previous epoch: the randomness that orders are drawn from was not known
    /// before it.
    pub async fn epoch_start(&self) -> Result<BlockNumber, ChainError> {
        self.read("the start of the epoch", |at| async move {
            Ok(get(&at, address::epoch_start(), ())
                .await?
                .map_or(0, |found| found.0 .0))
        })
        .await
    }

    /// What an account holds freely, in base units. Zero for an unknown one.
    pub async fn free_balance(&self, account: &AccountId) -> Result<Balance, ChainError> {
        self.read(&format!("balance of {account}"), |at| async move {
            Ok(get(&at, address::accounts(), (Static(account.clone()),))
                .await?
                .map_or(0, |found| found.0.data.free))
        })
        .await
    }
}

/// A whole map with numbers as keys, ascending.
async fn map<A, K, V>(at: &AtBlock, address: A) -> Result<Vec<(K, V)>, Fault>
where
    A: Address<KeyParts = (K,), Value = Static<V>>,
    (): PrefixOf<(K,)>,
    K: Ord,
    Static<V>: subxt::ext::scale_decode::DecodeAsType,
{
    let found = all(at, address, ()).await?;
    let mut found: Vec<_> = found
        .into_iter()
        .map(|((key,), value)| (key, value.0))
        .collect();
    found.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(found)
}

async fn named_channels(
    at: &AtBlock,
    ids: Vec<((Static<AccountId>, ChannelId), Static<()>)>,
) -> Result<Vec<(ChannelId, Channel)>, Fault> {
    let mut channels = Vec::with_capacity(ids.len());
    for ((_, channel), _) in ids {
        if let Some(found) = get(at, address::channels(), (channel,)).await? {
            channels.push((channel, found.0));
        }
    }
    channels.sort_by_key(|(channel, _)| *channel);
    Ok(channels)
}
