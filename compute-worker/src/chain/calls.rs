//! The calls that workers, payers and watchers send, each for
//! [`Client::submit`](super::Client::submit). What they do is documented where the pallets define them.

use attribution_proof::{
    contribution::MediaType,
    hash::Hash,
    influence::{IndexSpec, Query, RowOpening},
    licence::Licence,
    merkle::Commitment,
    model::{Committed, ModelKind},
    receipt::{ResponseChunkOpening, ResponseWindow, SignedReceipt},
    record::{ChunkOpening, ChunkWindow, RecordOpening},
    span::Occurrence,
    split::Parts,
    totals::{TotalOpening, Totals},
    transcript::StepOpening,
    voucher::{CooperativeClose, SignedVoucher},
    AccountId, Balance, BlockNumber, ChannelId, ContentId, ContributionId, DatanetId, JobId,
    ModelId, SettlementId,
};
use codec::{Decode, Encode};
use sp_runtime::MultiSignature;
use subxt::{dynamic::transaction, transactions::Payload, utils::Static};

/// A call that can be sent from any task.
pub trait Call: Payload + Send + Sync {}
impl<C: Payload + Send + Sync> Call for C {}

/// What somebody asks to see of a settlement, against a bond.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum DemandRequest {
    /// A receipt that was settled.
    #[codec(index = 0)]
    Receipt {
        /// Its sequence number.
        sequence: u64,
    },
    /// A chunk of a response.
    #[codec(index = 1)]
    ResponseChunk {
        /// The receipt.
        receipt: SignedReceipt,
        /// Index of the chunk.
        index: u32,
    },
    /// A row of an index that a receipt relied on.
    #[codec(index = 2)]
    Row {
        /// The receipt.
        receipt: SignedReceipt,
        /// The model.
        model: ModelId,
        /// The row.
        row: u32,
    },
    /// A step of a transcript of a model that a receipt relied on.
    #[codec(index = 3)]
    Step {
        /// The receipt.
        receipt: SignedReceipt,
        /// The model.
        model: ModelId,
        /// The step.
        step: u32,
    },
}

/// The answer to a demand.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// The receipt with its query.
    #[codec(index = 0)]
    Receipt {
        /// The receipt.
        receipt: SignedReceipt,
        /// The query vectors.
        query: Query,
    },
    /// The chunk.
    #[codec(index = 1)]
    ResponseChunk(ResponseChunkOpening),
    /// The row.
    #[codec(index = 2)]
    Row(RowOpening),
    /// The step.
    #[codec(index = 3)]
    Step(StepOpening),
}

// Datanets.

/// Creates a Datanet that anybody may contribute to.
pub fn create_open_datanet(name: &str) -> impl Call {
    transaction("Datanets", "create_open", (name.as_bytes().to_vec(),))
}

/// Contributes records.
pub fn contribute(
    datanet: DatanetId,
    leaves: Commitment,
    bytes: u64,
    media: MediaType,
    content: ContentId,
    licence: Licence,
    supersedes: Option<ContributionId>,
    stake: Balance,
) -> impl Call {
    let (leaves, media, licence) = (Static(leaves), Static(media), Static(licence));
    let arguments = (
        datanet, leaves, bytes, media, content, licence, supersedes, stake,
    );
    transaction("Datanets", "contribute", arguments)
}

/// Accepts a contribution whose window has passed.
pub fn accept_contribution(contribution: ContributionId) -> impl Call {
    transaction("Datanets", "accept", (contribution,))
}

/// Proves that a record of `later` is a copy of one in `earlier`.
pub fn challenge_duplicate(
    later: ContributionId,
    later_opening: RecordOpening,
    earlier: ContributionId,
    earlier_opening: RecordOpening,
) -> impl Call {
    let arguments = (
        later,
        Static(later_opening),
        earlier,
        Static(earlier_opening),
    );
    transaction("Datanets", "challenge_duplicate", arguments)
}

// Compute.

/// Makes the sender an operator.
pub fn register_operator(bond: Balance, hardware: &str, endpoint: &str) -> impl Call {
    let arguments = (
        bond,
        hardware.as_bytes().to_vec(),
        endpoint.as_bytes().to_vec(),
    );
    transaction("Compute", "register_operator", arguments)
}

/// Replaces the sender's hardware profile and endpoint.
pub fn update_operator(hardware: &str, endpoint: &str) -> impl Call {
    let arguments = (hardware.as_bytes().to_vec(), endpoint.as_bytes().to_vec());
    transaction("Compute", "update_operator", arguments)
}

/// Stops the sender from taking new jobs and channels.
pub fn drain() -> impl Call {
    transaction("Compute", "drain", ())
}

/// Requests a training job.
pub fn request_job(
    kind: ModelKind,
    datanets: Vec<DatanetId>,
    hyper_parameters: ContentId,
    previous: Option<ModelId>,
    royalty: Parts,
    price: Balance,
    price_floor: Balance,
    fee: Balance,
) -> impl Call {
    let arguments = (
        Static(kind),
        datanets,
        hyper_parameters,
        previous,
        royalty,
        price,
        price_floor,
        fee,
    );
    transaction("Compute", "request_job", arguments)
}

/// Takes an open job.
pub fn take_job(job: JobId) -> impl Call {
    transaction("Compute", "take_job", (job,))
}

/// Draws the seed of the batch order.
pub fn draw_order_seed(job: JobId) -> impl Call {
    transaction("Compute", "draw_order_seed", (job,))
}

/// Hands in trained weights with their transcript.
pub fn submit_transcript(
    job: JobId,
    artifact: ContentId,
    architecture: Hash,
    tokenizer: Hash,
    transcript: Committed,
    loss_before: u32,
    loss_after: u32,
) -> impl Call {
    let (architecture, tokenizer) = (Static(architecture), Static(tokenizer));
    let transcript = Static(transcript);
    let arguments = (
        job,
        artifact,
        architecture,
        tokenizer,
        transcript,
        loss_before,
        loss_after,
    );
    transaction("Compute", "submit_transcript", arguments)
}

/// Draws the seed of the projection.
pub fn draw_projection_seed(job: JobId) -> impl Call {
    transaction("Compute", "draw_projection_seed", (job,))
}

/// Hands in the influence index.
pub fn submit_index(job: JobId, index: Committed, spec: IndexSpec) -> impl Call {
    transaction(
        "Compute",
        "submit_index",
        (job, Static(index), Static(spec)),
    )
}

/// Pays the operator and registers the model of a job whose window has closed.
pub fn finalise_job(job: JobId) -> impl Call {
    transaction("Compute", "finalise_job", (job,))
}

/// Ends a job whose deadline has passed.
pub fn expire_job(job: JobId) -> impl Call {
    transaction("Compute", "expire_job", (job,))
}

// Channels.

/// Opens a payment channel. Without a signer the payer signs the vouchers.
pub fn open_channel(
    payee: &AccountId,
    signer: Option<AccountId>,
    deposit: Balance,
    expiry: BlockNumber,
) -> impl Call {
    let arguments = (Static(payee.clone()), Static(signer), deposit, expiry);
    transaction("Channels", "open", arguments)
}

/// Adds to a channel's deposit.
pub fn top_up(channel: ChannelId, amount: Balance) -> impl Call {
    transaction("Channels", "top_up", (channel, amount))
}

/// Moves a channel's expiry.
pub fn extend_channel(channel: ChannelId, expiry: BlockNumber) -> impl Call {
    transaction("Channels", "extend", (channel, expiry))
}

/// Asks to close a channel; the payee has the dispute period to settle.
pub fn request_close(channel: ChannelId) -> impl Call {
    transaction("Channels", "request_close", (channel,))
}

/// Closes a channel whose time has come.
pub fn close_channel(channel: ChannelId) -> impl Call {
    transaction("Channels", "close", (channel,))
}

/// Closes a channel at once, with the payee's signature.
pub fn close_cooperatively(
    channel: ChannelId,
    agreement: CooperativeClose,
    signature: MultiSignature,
) -> impl Call {
    let arguments = (channel, Static(agreement), Static(signature));
    transaction("Channels", "close_cooperatively", arguments)
}

/// Gives a channel up, as its payee.
pub fn close_as_payee(channel: ChannelId) -> impl Call {
    transaction("Channels", "close_as_payee", (channel,))
}

// Attribution.

/// Settles a channel up to a voucher's receipt.
pub fn settle(voucher: SignedVoucher, receipt: SignedReceipt) -> impl Call {
    transaction("Attribution", "settle", (Static(voucher), Static(receipt)))
}

/// Makes a settlement whose window has closed final.
pub fn finalise_settlement(settlement: SettlementId) -> impl Call {
    transaction("Attribution", "finalise", (settlement,))
}

/// Most entries in one [`pay`].
pub const PAY_PAGE: usize = 32;

/// Pays entries of a final settlement's totals, at most [`PAY_PAGE`].
pub fn pay(settlement: SettlementId, openings: Vec<TotalOpening>) -> impl Call {
    transaction("Attribution", "pay", (settlement, Static(openings)))
}

/// Pays out up to `limit` accruals of the sender.
pub fn claim(limit: u32) -> impl Call {
    transaction("Attribution", "claim", (limit,))
}

/// Pays out up to `limit` accruals of `who`.
pub fn claim_for(who: &AccountId, limit: u32) -> impl Call {
    transaction("Attribution", "claim_for", (Static(who.clone()), limit))
}

/// Shows that a listed row has another score, or is not eligible.
pub fn challenge_score(
    settlement: SettlementId,
    receipt: SignedReceipt,
    position: u32,
    query: Query,
    opening: RowOpening,
) -> impl Call {
    let arguments = (
        settlement,
        Static(receipt),
        position,
        Static(query),
        Static(opening),
    );
    transaction("Attribution", "challenge_score", arguments)
}

/// Shows an eligible row that is missing from the list.
pub fn challenge_omission(
    settlement: SettlementId,
    receipt: SignedReceipt,
    model: ModelId,
    query: Query,
    opening: RowOpening,
) -> impl Call {
    let arguments = (
        settlement,
        Static(receipt),
        model,
        Static(query),
        Static(opening),
    );
    transaction("Attribution", "challenge_omission", arguments)
}

/// Shows that a span's bytes differ between response and record.
pub fn challenge_bytes(
    settlement: SettlementId,
    receipt: SignedReceipt,
    position: u32,
    distance: u32,
    contribution: ContributionId,
    record: RecordOpening,
    response: ResponseChunkOpening,
    bytes: ChunkOpening,
) -> impl Call {
    let (receipt, record) = (Static(receipt), Static(record));
    let (response, bytes) = (Static(response), Static(bytes));
    let arguments = (
        settlement,
        receipt,
        position,
        distance,
        contribution,
        record,
        response,
        bytes,
    );
    transaction("Attribution", "challenge_bytes", arguments)
}

/// Shows a better span than the receipt has.
pub fn challenge_span(
    settlement: SettlementId,
    receipt: SignedReceipt,
    start: u32,
    length: u32,
    at: Occurrence,
    contribution: ContributionId,
    record: RecordOpening,
    response: ResponseWindow,
    bytes: ChunkWindow,
) -> impl Call {
    let (receipt, at, record) = (Static(receipt), Static(at), Static(record));
    let (response, bytes) = (Static(response), Static(bytes));
    let arguments = (
        settlement,
        receipt,
        start,
        length,
        at,
        contribution,
        record,
        response,
        bytes,
    );
    transaction("Attribution", "challenge_span", arguments)
}

/// Shows that a receipt does not follow the one before it, or the settled mark if `previous` is
/// missing.
pub fn challenge_step(
    settlement: SettlementId,
    previous: Option<SignedReceipt>,
    receipt: SignedReceipt,
    before: Totals,
    owners: Vec<ContributionId>,
) -> impl Call {
    let arguments = (
        settlement,
        Static(previous),
        Static(receipt),
        Static(before),
        owners,
    );
    transaction("Attribution", "challenge_step", arguments)
}

/// Shows that a settlement does not continue the mark or does not end in the voucher's receipt.
pub fn challenge_settlement(settlement: SettlementId, receipt: SignedReceipt) -> impl Call {
    transaction(
        "Attribution",
        "challenge_settlement",
        (settlement, Static(receipt)),
    )
}

/// Shows two receipts with one sequence number.
pub fn challenge_equivocation(
    settlement: SettlementId,
    first: SignedReceipt,
    second: SignedReceipt,
) -> impl Call {
    let arguments = (settlement, Static(first), Static(second));
    transaction("Attribution", "challenge_equivocation", arguments)
}

/// Demands to see something of a settlement.
pub fn demand(settlement: SettlementId, request: DemandRequest) -> impl Call {
    transaction("Attribution", "demand", (settlement, Static(request)))
}

/// Answers a demand and earns its bond.
pub fn answer_demand(settlement: SettlementId, demand: u64, answer: Answer) -> impl Call {
    transaction(
        "Attribution",
        "answer",
        (settlement, demand, Static(answer)),
    )
}

/// Voids a settlement of which something was demanded and not shown in time.
pub fn expire_demand(settlement: SettlementId, demand: u64) -> impl Call {
    transaction("Attribution", "expire_demand", (settlement, demand))
}
