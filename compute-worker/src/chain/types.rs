//! What the pallets store, as the worker sees it. Types that both sides of a proof share are those of
//! [`attribution_proof`]; these are only stored. Tests compare them with the runtime's metadata.

use attribution_proof::{
    challenge::Mark,
    contribution::{Contribution, MediaType, Snapshot},
    hash::Hash,
    licence::{Licence, Terms},
    merkle::Commitment,
    model::{Committed, Inputs, ModelKind, Parents, TrainingResult},
    split::{Parts, Split},
    AccountId, Balance, BlockNumber, ChannelId, ContentId, ContributionId, DatanetId, ModelId,
    RulesetId,
};
use codec::{Decode, Encode};

/// Defines structures with the path of the pallet's type, whose fields they must repeat.
macro_rules! stored {
    ($(
        #[path = $path:literal]
        $(#[$meta:meta])*
        pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)+ }
    )+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
            pub struct $name { $($(#[$field_meta])* pub $field: $type,)+ }
        )+

        /// Path and field names of every structure here.
        #[cfg(test)]
        pub(super) const STORED: &[(&str, &[&str])] =
            &[$(($path, &[$(stringify!($field)),+])),+];
    };
}

stored! {
    #[path = "frame_system::AccountInfo"]
    /// An account.
    pub struct AccountInfo {
        /// Transactions that it sent.
        pub nonce: u32,
        /// Pallets that depend on it.
        pub consumers: u32,
        /// Pallets that keep it alive.
        pub providers: u32,
        /// Pallets that keep it alive without a balance.
        pub sufficients: u32,
        /// Its balance.
        pub data: AccountData,
    }

    #[path = "pallet_balances::types::AccountData"]
    /// The balance of an account, in base units.
    pub struct AccountData {
        /// What it can spend, less what is frozen.
        pub free: Balance,
        /// What is held.
        pub reserved: Balance,
        /// Part of the free balance that must stay.
        pub frozen: Balance,
        /// Internal flags.
        pub flags: u128,
    }

    #[path = "pallet_channels::types::Channel"]
    /// A payment channel, from its opening until it is closed.
    pub struct Channel {
        /// Who pays; the deposit is held on this account.
        pub payer: AccountId,
        /// Whose signature makes a voucher valid.
        pub signer: AccountId,
        /// The operator who answers and claims.
        pub payee: AccountId,
        /// What is still held for this channel, in base units.
        pub deposit: Balance,
        /// Ruleset of the channel and all its receipts.
        pub ruleset: RulesetId,
        /// Block of the opening.
        pub opened_at: BlockNumber,
        /// Block from which the payee should answer no more.
        pub expiry: BlockNumber,
        /// Set when the payer asked to close: the first block in which anybody may.
        pub closing: Option<BlockNumber>,
        /// How far the channel is settled.
        pub mark: Mark,
    }

    #[path = "pallet_compute::types::Operator"]
    /// An account that trains and serves.
    pub struct Operator {
        /// What is held, in base units.
        pub bond: Balance,
        /// Sum of the stakes of its active jobs, in base units.
        pub staked: Balance,
        /// Hardware profile: JSON text.
        pub hardware: Vec<u8>,
        /// URL of its HTTP API.
        pub endpoint: Vec<u8>,
        /// Whether it takes new work.
        pub state: OperatorState,
        /// Jobs that it took and that are not over.
        pub active_jobs: u32,
        /// Channels that it is the payee of.
        pub open_channels: u32,
        /// The last block of the last window for which the bond answers.
        pub liable_until: BlockNumber,
    }

    #[path = "pallet_compute::types::Assignment"]
    /// Who works on a job and what that puts at stake.
    pub struct Assignment {
        /// The operator.
        pub operator: AccountId,
        /// The block in which it took the job: inputs tombstoned by then are not part of it.
        pub taken_at: BlockNumber,
        /// The last block in which it may submit.
        pub deadline: BlockNumber,
        /// Part of its bond that it loses if the job fails by its fault, in base units.
        pub stake: Balance,
    }

    #[path = "pallet_compute::types::TrainedWeights"]
    /// The first half of a result: the weights and how they were trained.
    pub struct TrainedWeights {
        /// The trained weights.
        pub artifact: ContentId,
        /// Architecture id.
        pub architecture: Hash,
        /// Tokenizer id.
        pub tokenizer: Hash,
        /// Training transcript.
        pub transcript: Committed,
        /// Held-out loss before training, in millionths of a nat per token.
        pub loss_before: u32,
        /// Held-out loss after training, in millionths of a nat per token.
        pub loss_after: u32,
    }

    #[path = "pallet_compute::types::Job"]
    /// A training job.
    pub struct Job {
        /// Who pays and will own the model.
        pub builder: AccountId,
        /// Base, or adapter over which base.
        pub kind: ModelKind,
        /// Inputs as they stood when the job was requested. Their order gives ordinals.
        pub inputs: Inputs,
        /// Canonical hyper-parameters in the content store.
        pub hyper_parameters: ContentId,
        /// The model that the result is the next version of.
        pub previous: Option<ModelId>,
        /// Royalty that the model will ask, in parts per billion.
        pub royalty: Parts,
        /// Asked price per token, in base units.
        pub price: Balance,
        /// Least price per token, in base units.
        pub price_floor: Balance,
        /// Parents with the royalties agreed when the job was requested.
        pub parents: Parents,
        /// Terms inherited from the inputs.
        pub terms: Terms,
        /// What the operator earns, in base units.
        pub fee: Balance,
        /// Held from the builder for this entry, in base units.
        pub deposit: Balance,
        /// Ruleset.
        pub ruleset: RulesetId,
        /// Where it stands.
        pub state: JobState,
    }

    #[path = "pallet_datanets::types::TermCounts"]
    /// How many live accepted contributions restrict what, in one Datanet.
    pub struct TermCounts {
        /// Contributions that forbid derivatives.
        pub no_derivatives: u32,
        /// Contributions that forbid commercial use.
        pub no_commercial: u32,
        /// Contributions that ask to share alike.
        pub share_alike: u32,
        /// Contributions that ask for attribution.
        pub attribution: u32,
    }

    #[path = "pallet_datanets::types::DatanetDetails"]
    /// A Datanet.
    pub struct DatanetDetails {
        /// Who created it.
        pub owner: AccountId,
        /// Its name.
        pub name: Vec<u8>,
        /// Who accepts contributions.
        pub kind: DatanetKind,
        /// Held from the owner, in base units.
        pub deposit: Balance,
        /// Accepted contributions.
        pub length: u32,
        /// Records in them.
        pub records: u32,
        /// Head of the snapshot chain.
        pub head: Hash,
        /// What the live contributions restrict.
        pub term_counts: TermCounts,
    }

    #[path = "pallet_datanets::types::Acceptance"]
    /// Where an accepted contribution stands in its Datanet.
    pub struct Acceptance {
        /// Position among the accepted contributions.
        pub index: u32,
        /// Records in the contributions accepted before it.
        pub records_before: u32,
        /// Head of the snapshot chain with it.
        pub snapshot: Hash,
        /// The block in which it was accepted.
        pub at: BlockNumber,
    }

    #[path = "pallet_datanets::types::Tombstone"]
    /// When and why a contribution ended.
    pub struct Tombstone {
        /// The block from which it does not count.
        pub at: BlockNumber,
        /// Why.
        pub cause: TombstoneCause,
    }

    #[path = "pallet_datanets::types::ContributionDetails"]
    /// A contribution.
    pub struct ContributionDetails {
        /// The Datanet.
        pub datanet: DatanetId,
        /// Who contributed and stands in every record leaf.
        pub contributor: AccountId,
        /// Commitment over the record leaves.
        pub leaves: Commitment,
        /// Sum of the records' bytes, as declared.
        pub bytes: u64,
        /// What the records are.
        pub media: MediaType,
        /// Where the payload lies in the content store.
        pub content: ContentId,
        /// Licence.
        pub licence: Licence,
        /// An earlier contribution of the same contributor that it replaces.
        pub supersedes: Option<ContributionId>,
        /// Ruleset.
        pub ruleset: RulesetId,
        /// Stake when it was submitted, in base units.
        pub stake: Balance,
        /// What is still held of it, in base units.
        pub held: Balance,
        /// The block in which it was submitted.
        pub submitted_at: BlockNumber,
        /// Where it stands.
        pub state: ContributionState,
        /// Set when it ended.
        pub tombstone: Option<Tombstone>,
        /// Records of it that fell one by one.
        pub fallen_records: u32,
        /// Demands that wait for an answer.
        pub open_demands: u32,
    }

    #[path = "pallet_attribution::types::Demand"]
    /// A demand that waits for its answer.
    pub struct Demand {
        /// Who demands and holds the bond.
        pub demander: AccountId,
        /// The object.
        pub object: Demanded,
        /// The bond in base units; whoever answers earns it.
        pub bond: Balance,
        /// Last block for an answer.
        pub deadline: BlockNumber,
    }

    #[path = "pallet_attribution::types::Settlement"]
    /// A settlement that is pending or not yet paid out.
    pub struct Settlement {
        /// The channel.
        pub channel: ChannelId,
        /// Who paid.
        pub payer: AccountId,
        /// Who answered.
        pub operator: AccountId,
        /// Ruleset of the channel.
        pub ruleset: RulesetId,
        /// Where the channel was settled before.
        pub from: Mark,
        /// Where it is settled now.
        pub to: Mark,
        /// How the amount is split, in base units.
        pub split: Split,
        /// Commitment over the totals by which payees are paid.
        pub totals: Commitment,
        /// The block in which it was opened.
        pub opened_at: BlockNumber,
        /// The last block in which something can be demanded.
        pub demands_until: BlockNumber,
        /// The last block in which it can be challenged.
        pub window_end: BlockNumber,
        /// Where it stands.
        pub state: SettlementState,
        /// One bit for each entry of the totals that was paid, least significant bit first.
        pub paid: Vec<u8>,
        /// Entries that were paid.
        pub paid_count: u32,
        /// What was paid to them, in base units.
        pub paid_sum: Balance,
        /// Demands that wait for an answer.
        pub open_demands: u32,
    }
}

/// Whether an operator takes new work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum OperatorState {
    /// Takes jobs and channels.
    #[codec(index = 0)]
    Active,
    /// Finishes what it has and takes nothing new.
    #[codec(index = 1)]
    Draining {
        /// The block in which it began.
        since: BlockNumber,
    },
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum JobState {
    /// Waits for an operator.
    #[codec(index = 0)]
    Open {
        /// The last block in which it can be taken.
        until: BlockNumber,
    },
    /// An operator works on it.
    #[codec(index = 1)]
    Taken {
        /// Who.
        assignment: Assignment,
        /// Seed of the batch order, once drawn.
        order_seed: Option<Hash>,
    },
    /// Trained; the influence index is missing.
    #[codec(index = 2)]
    Transcribed {
        /// Who.
        assignment: Assignment,
        /// Seed of the batch order.
        order_seed: Hash,
        /// The block in which the transcript landed.
        at: BlockNumber,
        /// What was trained.
        weights: TrainedWeights,
        /// Seed of the projection, once drawn.
        projection_seed: Option<Hash>,
    },
    /// Complete; it can be challenged.
    #[codec(index = 3)]
    Submitted {
        /// Who.
        assignment: Assignment,
        /// Seed of the batch order.
        order_seed: Hash,
        /// The result.
        result: TrainingResult,
        /// The last block in which it can be challenged.
        window_end: BlockNumber,
    },
    /// Paid and registered.
    #[codec(index = 4)]
    Finalised {
        /// The model that it made.
        model: ModelId,
    },
    /// Over without a model; the fee went back.
    #[codec(index = 5)]
    Refunded {
        /// Why.
        cause: RefundCause,
    },
}

impl JobState {
    /// Who works on it or answers for it.
    pub fn assignment(&self) -> Option<&Assignment> {
        match self {
            Self::Taken { assignment, .. }
            | Self::Transcribed { assignment, .. }
            | Self::Submitted { assignment, .. } => Some(assignment),
            Self::Open { .. } | Self::Finalised { .. } | Self::Refunded { .. } => None,
        }
    }
}

/// Why a job ended without a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum RefundCause {
    /// The builder called it off.
    #[codec(index = 0)]
    Cancelled,
    /// Nobody took it in time.
    #[codec(index = 1)]
    NotTaken,
    /// The operator did not submit in time and lost its stake.
    #[codec(index = 2)]
    NotSubmitted,
    /// A row of the index was proven wrong and the operator lost its stake.
    #[codec(index = 3)]
    ProvenWrong(RowFault),
    /// The model could not be registered: its base was voided.
    #[codec(index = 4)]
    NotRegistered(sp_runtime::DispatchError),
}

/// What is wrong with a row of an influence index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum RowFault {
    /// It breaks its own spec.
    #[codec(index = 0)]
    Defect(attribution_proof::influence::RowDefect),
    /// It names another record than the one that owns the ordinal.
    #[codec(index = 1)]
    WrongRecord,
    /// It is absent although its record was standing when the job was taken.
    #[codec(index = 2)]
    WronglyAbsent,
    /// It is present although its record had been tombstoned when the job was taken.
    #[codec(index = 3)]
    WronglyPresent,
}

/// Who accepts contributions to a Datanet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum DatanetKind {
    /// Anybody, after a window in which nobody challenged.
    #[codec(index = 0)]
    Open,
    /// Named curators.
    #[codec(index = 1)]
    Curated {
        /// They.
        curators: Vec<AccountId>,
        /// How many of them must agree.
        threshold: u32,
    },
}

impl DatanetDetails {
    /// Its newest version.
    pub fn snapshot(&self, datanet: DatanetId) -> Snapshot {
        Snapshot {
            datanet,
            length: self.length,
            head: self.head,
            records: self.records,
        }
    }
}

/// Where a contribution stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ContributionState {
    /// Not decided.
    #[codec(index = 0)]
    Pending,
    /// Part of the Datanet.
    #[codec(index = 1)]
    Accepted(Acceptance),
    /// Refused by the curators.
    #[codec(index = 2)]
    Rejected {
        /// The block in which it was.
        at: BlockNumber,
    },
}

/// Why a contribution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum TombstoneCause {
    /// Too many of its records were proven to be copies or malformed.
    #[codec(index = 0)]
    Slashed,
    /// Its contributor withdrew it.
    #[codec(index = 1)]
    Withdrawn,
    /// Its contributor replaced it.
    #[codec(index = 2)]
    Superseded,
    /// Too many of its records were demanded and not shown.
    #[codec(index = 3)]
    Withheld,
    /// Governance reversed its acceptance.
    #[codec(index = 4)]
    Overruled,
    /// It ended undecided.
    #[codec(index = 5)]
    Lapsed,
}

impl ContributionDetails {
    /// Where it stands in its Datanet, if it was accepted.
    pub fn acceptance(&self) -> Option<&Acceptance> {
        match &self.state {
            ContributionState::Accepted(acceptance) => Some(acceptance),
            ContributionState::Pending | ContributionState::Rejected { .. } => None,
        }
    }

    /// The immutable part that snapshots commit to, if it was accepted.
    pub fn object(&self, sequence: ContributionId) -> Option<Contribution> {
        let acceptance = self.acceptance()?;
        Some(Contribution {
            sequence,
            datanet: self.datanet,
            index: acceptance.index,
            contributor: self.contributor.clone(),
            leaves: self.leaves,
            records_before: acceptance.records_before,
            bytes: self.bytes,
            media: self.media,
            content: self.content,
            licence: self.licence.clone(),
            supersedes: self.supersedes,
        })
    }
}

/// What is demanded of a settlement.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Demanded {
    /// A receipt and its query.
    #[codec(index = 0)]
    Receipt {
        /// Its number in the channel.
        sequence: u64,
    },
    /// A chunk of a response.
    #[codec(index = 1)]
    ResponseChunk {
        /// Hash of the receipt.
        receipt: Hash,
        /// The response's commitment.
        response: Commitment,
        /// Index of the chunk.
        index: u32,
    },
    /// A row of the influence index of a served model or its base.
    #[codec(index = 2)]
    Row {
        /// The model.
        model: ModelId,
        /// The row.
        row: u32,
    },
    /// A step of the training transcript of a served model or its base.
    #[codec(index = 3)]
    Step {
        /// The model.
        model: ModelId,
        /// The step, from 1.
        step: u32,
    },
}

/// Where a settlement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum SettlementState {
    /// It can be challenged.
    #[codec(index = 0)]
    Pending,
    /// Payees can be paid.
    #[codec(index = 1)]
    Final {
        /// The block in which it became final.
        at: BlockNumber,
    },
}

impl Settlement {
    /// Whether entry `index` of the totals was paid.
    pub fn is_paid(&self, index: u32) -> bool {
        let byte = usize::try_from(index / 8)
            .ok()
            .and_then(|byte| self.paid.get(byte));
        byte.is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }
}

/// What may still be done with a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can be served and built on, as far as its licence goes.
    Live,
    /// Its owner retired it: no new jobs, channels or descendants.
    Retired,
    /// It was voided.
    Voided,
}
