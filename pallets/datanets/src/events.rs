//! What the pallet announces.

use frame_support::pallet_macros::pallet_section;

/// The events.
#[pallet_section]
mod events {
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A Datanet was created.
        DatanetCreated {
            /// The Datanet.
            datanet: DatanetId,
            /// Its owner.
            owner: AccountId,
            /// Its name.
            name: Name,
            /// Who accepts contributions.
            kind: DatanetKind,
            /// Deposit held from the owner.
            deposit: Balance,
        },
        /// A named curator placed his stake and may vote.
        CuratorJoined {
            /// The Datanet.
            datanet: DatanetId,
            /// The curator.
            curator: AccountId,
            /// Stake held.
            stake: Balance,
        },
        /// A curator left and got back what is left of his stake.
        CuratorLeft {
            /// The Datanet.
            datanet: DatanetId,
            /// The curator.
            curator: AccountId,
            /// Stake released.
            stake: Balance,
        },
        /// Data was contributed.
        Contributed {
            /// The contribution.
            contribution: ContributionId,
            /// The Datanet.
            datanet: DatanetId,
            /// The contributor.
            contributor: AccountId,
            /// Commitment over the record leaves.
            leaves: Commitment,
            /// Sum of the records' bytes, as declared.
            bytes: u64,
            /// What the records are.
            media: MediaType,
            /// Where the payload lies in the content store.
            content: ContentId,
            /// Licence.
            licence: Licence,
            /// The contribution that it replaces once accepted.
            supersedes: Option<ContributionId>,
            /// Stake held.
            stake: Balance,
            /// The ruleset it lives under.
            ruleset: RulesetId,
        },
        /// A curator voted.
        Voted {
            /// The contribution.
            contribution: ContributionId,
            /// The Datanet.
            datanet: DatanetId,
            /// The curator.
            curator: AccountId,
            /// Whether he approves.
            approve: bool,
            /// Approvals so far.
            approvals: u32,
            /// Rejections so far.
            rejections: u32,
        },
        /// A contribution was accepted and extends the snapshot chain.
        ContributionAccepted {
            /// The contribution.
            contribution: ContributionId,
            /// The Datanet.
            datanet: DatanetId,
            /// Position among its accepted contributions.
            index: u32,
            /// Records in those before it.
            records_before: u32,
            /// Head of the snapshot chain after it.
            snapshot: Hash,
        },
        /// Curators rejected a contribution. Its stake stays on hold for an appeal unless the contributor
        /// withdraws it.
        ContributionRejected {
            /// The contribution.
            contribution: ContributionId,
            /// The Datanet.
            datanet: DatanetId,
        },
        /// A contribution ended. One that was never accepted and has no fallen records is forgotten.
        ContributionTombstoned {
            /// The contribution.
            contribution: ContributionId,
            /// The Datanet.
            datanet: DatanetId,
            /// Why.
            cause: TombstoneCause,
        },
        /// What was left of a contribution's stake went back to its contributor.
        StakeReleased {
            /// The contribution.
            contribution: ContributionId,
            /// The contributor.
            contributor: AccountId,
            /// Amount released.
            amount: Balance,
        },
        /// A record fell: it earns nothing from now on, and its part of the stake is gone.
        RecordFell {
            /// The contribution.
            contribution: ContributionId,
            /// The Datanet.
            datanet: DatanetId,
            /// Index of the record.
            record: u32,
            /// What brought it down.
            fault: Fault,
            /// Who proved it.
            challenger: AccountId,
            /// Stake taken from the contributor: the record's part, or all that is left if the whole
            /// contribution falls.
            slashed: Balance,
            /// The challenger's part of it; the treasury has the rest.
            reward: Balance,
        },
        /// The evidence of a challenge proved nothing, and its sender lost the bond to the treasury.
        ChallengeRejected {
            /// The challenged contribution.
            contribution: ContributionId,
            /// Index of the record.
            record: u32,
            /// Who challenged.
            challenger: AccountId,
            /// What it cost him.
            bond: Balance,
            /// Why the evidence proves nothing.
            reason: RejectionReason,
        },
        /// Somebody demands to see a chunk.
        Demanded {
            /// The demand.
            demand: DemandId,
            /// Who demands.
            demander: AccountId,
            /// The contribution.
            contribution: ContributionId,
            /// Index of the record.
            record: u32,
            /// Index of the chunk.
            chunk: u32,
            /// Bond held.
            bond: Balance,
            /// Last block in which it can be answered.
            expires: BlockNumber,
        },
        /// A demanded chunk was shown, or that there is no such chunk. The bytes are in the call.
        DemandAnswered {
            /// The demand.
            demand: DemandId,
            /// The contribution.
            contribution: ContributionId,
            /// Index of the record.
            record: u32,
            /// Index of the chunk.
            chunk: u32,
            /// Who answered.
            answerer: AccountId,
            /// Bond that he earned.
            bond: Balance,
        },
        /// A demand was not answered in time, or what it was about is gone; the bond is back with the
        /// demander.
        DemandExpired {
            /// The demand.
            demand: DemandId,
            /// The contribution.
            contribution: ContributionId,
            /// Index of the record.
            record: u32,
            /// Index of the chunk.
            chunk: u32,
            /// Who demanded.
            demander: AccountId,
            /// Bond released.
            bond: Balance,
        },
        /// Governance overruled a decision.
        Overruled {
            /// The contribution.
            contribution: ContributionId,
            /// The Datanet.
            datanet: DatanetId,
            /// Whether it is accepted now.
            accepted: bool,
        },
        /// A curator lost his stake to the treasury, because he voted for a decision that was overruled.
        CuratorSlashed {
            /// The Datanet.
            datanet: DatanetId,
            /// The curator.
            curator: AccountId,
            /// The contribution he voted on.
            contribution: ContributionId,
            /// Amount slashed.
            amount: Balance,
        },
    }
}
