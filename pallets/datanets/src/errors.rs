//! What can be wrong with a call.

use frame_support::pallet_macros::pallet_section;

/// The errors.
#[pallet_section]
mod errors {
    #[pallet::error]
    pub enum Error<T> {
        /// No Datanet has this number: look it up in `DatanetCreated` events.
        UnknownDatanet,
        /// No contribution has this number, or it ended before it was accepted and is forgotten.
        UnknownContribution,
        /// No open demand has this number: it was answered or has expired.
        UnknownDemand,
        /// The ruleset that the object names is not stored: the runtime is misconfigured.
        UnknownRuleset,
        /// All numbers of this kind of object are given away.
        NumbersExhausted,
        /// The name is empty, not UTF-8 or has control characters.
        InvalidName,
        /// A curator is named twice: name each once.
        DuplicateCurator,
        /// The threshold is zero or above the number of curators.
        InvalidThreshold,
        /// The Datanet has no curators: this is for curated Datanets.
        NotCurated,
        /// The Datanet is curated: its curators accept by `vote`.
        Curated,
        /// The Datanet does not name this account as a curator.
        NotNamedCurator,
        /// The curator has placed his stake already.
        AlreadyJoined,
        /// The account has no curator stake in this Datanet: call `join_as_curator` first.
        NotStakedCurator,
        /// The curator has voted on this contribution already; a vote is final.
        AlreadyVoted,
        /// The curator has voted on contributions that are not decided yet: wait, or call `lapse` for those
        /// whose window is over.
        OpenVotes,
        /// A decision that the curator took part in can still be appealed against: wait until
        /// `liable_until` has passed.
        StillLiable,
        /// The contribution has no records.
        NoRecords,
        /// Fewer bytes are declared than there are records, and no record is empty.
        TooFewBytes,
        /// The Datanet would have more records than ordinals can number: contribute to another one.
        TooManyRecords,
        /// The licence is empty or has characters that SPDX expressions do not use.
        MalformedLicence,
        /// The stake is below the ruleset's least stake for this number of records.
        StakeTooLow,
        /// No contribution has the number of the one to supersede.
        UnknownSuperseded,
        /// The contribution to supersede is somebody else's.
        SupersedesAnothers,
        /// The contribution to supersede is in another Datanet.
        SupersedesElsewhere,
        /// The contribution to supersede is not accepted: withdraw it instead.
        SupersedesUnaccepted,
        /// The contribution to supersede has ended already.
        SupersedesEnded,
        /// The caller did not make this contribution: only its contributor may withdraw it.
        NotContributor,
        /// The contribution is accepted or rejected already.
        AlreadyDecided,
        /// The contribution is neither accepted nor rejected yet, so there is nothing to overrule.
        NotDecided,
        /// The contribution has ended already.
        AlreadyEnded,
        /// The contribution's window is still open: wait until it has passed.
        WindowOpen,
        /// The contribution's window has passed: call `lapse`.
        WindowOver,
        /// The contribution's stake has been slashed or released completely.
        NothingHeld,
        /// The contribution is live or pending: its stake is released after its end.
        StillLive,
        /// The stake stays on hold until the contribution window has passed since the end or rejection.
        ReleaseTooEarly,
        /// Demands for the contribution are open: answer them, or expire them when their window is over.
        OpenDemands,
        /// Nothing is at stake any more: the contribution is rejected, or it ended and its stake is gone.
        NotLiable,
        /// The balance does not cover the bond that a wrong challenge would cost.
        CannotAffordBond,
        /// The contribution that is said to be first has the same or a later number.
        NotEarlier,
        /// Both contributions are of the same contributor, who may repeat himself.
        SameContributor,
        /// The earlier contribution was never accepted.
        EarlierNotAccepted,
        /// The earlier contribution has ended otherwise than by being superseded.
        EarlierEnded,
        /// The record fell already.
        RecordFallen,
        /// The earlier record itself has fallen.
        EarlierRecordFallen,
        /// The contribution has no record with this index.
        NoSuchRecord,
        /// No record can have a chunk with this index.
        NoSuchChunk,
        /// There is an open demand for this chunk already.
        AlreadyDemanded,
        /// The demand's window is over: it can only be expired.
        DemandOver,
        /// The demand can still be answered: wait until its window is over.
        DemandOpen,
        /// The shown record is another one than demanded, or its opening does not verify.
        WrongRecordShown,
        /// The shown chunk is another one than demanded, or its opening does not verify.
        WrongChunkShown,
        /// No chunk is shown although the record has the one that is demanded.
        ChunkNotShown,
        /// The treasury account cannot receive the amount: it must exist.
        TreasuryUnavailable,
        /// Less is on hold than the books say. This is a bug.
        BooksDisagree,
    }
}
