//! What transactions need: an operator, a model with an index of a million rows, channels, and lies to
//! be challenged.

use super::Node;
use attribution_proof::{
    bounds::{MAX_CREDITS, MAX_SPANS, MAX_TOTALS},
    challenge::{influence_credit, Mark},
    contribution::MediaType,
    hash::Hash,
    influence::{credit_score, row_leaf, IndexSpec, InfluenceMethod, Query, Row, RowOpening},
    licence::{Licence, Terms},
    merkle::{Commitment, Tree},
    model::{Committed, ModelKind},
    receipt::{response_tree, Receipt, Sampling, SignedReceipt},
    ruleset::Ruleset,
    span::{Occurrence, Span},
    totals::{Payee, Total, Totals},
    voucher::{SignedVoucher, Voucher},
    Balance, ChannelId, ContributionId, DatanetId, JobId, ModelId, SettlementId,
};
use openledger_runtime::{
    configs::ruleset::FIRST_RULESET,
    constants::{currency::UNIT, time::EPOCH_DURATION_IN_SLOTS},
    Attribution, Compute, Runtime, RuntimeCall, RuntimeOrigin, System,
};
use pallet_attribution::{DemandRequest, MAX_OPEN_DEMANDS};
use pallet_compute::JobState;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::Dispatchable, MultiSignature};

/// Sends transfers.
pub(crate) const SENDER: Sr25519Keyring = Sr25519Keyring::Alice;
/// Trains, answers and settles.
pub(crate) const OPERATOR: Sr25519Keyring = Sr25519Keyring::Bob;
/// Contributes.
pub(crate) const CONTRIBUTOR: Sr25519Keyring = Sr25519Keyring::Charlie;
/// Challenges.
pub(crate) const CHALLENGER: Sr25519Keyring = Sr25519Keyring::Dave;
/// Builds the model and demands.
const BUILDER: Sr25519Keyring = Sr25519Keyring::Eve;
/// Pays for answers.
const PAYER: Sr25519Keyring = Sr25519Keyring::Ferdie;

/// Rows of the model's index.
const ROWS: u32 = 1_000_000;
/// Length of its vectors.
const DIMENSION: u32 = 1_024;
/// Data of the largest receipt. As many contributions have a record each; another has all the rest.
const DATA: u32 = MAX_CREDITS + MAX_SPANS;
/// The row that a score challenge opens.
const OPENED_ROW: u32 = 777_777;
/// Bytes of a span.
const SPAN: u32 = 32;
/// Receipts of a settlement that is challenged, enough to demand each of them.
const RECEIPTS: u64 = MAX_OPEN_DEMANDS as u64;
/// Price of an answer.
const PRICE: Balance = UNIT / 1_000;

/// A channel and how far its receipts are.
struct Channel {
    id: ChannelId,
    mark: Mark,
}

pub(crate) struct World {
    datanet: DatanetId,
    owners: Vec<ContributionId>,
    model: ModelId,
    ruleset: Ruleset,
    /// Proof of the opened row.
    opening: RowOpening,
    query: Query,
    /// The score that the opened row really has.
    score: i64,
    honest: Channel,
    challenged: Channel,
    /// Settlements that the challenges of the next block must void.
    to_void: Vec<SettlementId>,
}

fn dispatch(who: Sr25519Keyring, call: impl Into<RuntimeCall>) {
    let origin = RuntimeOrigin::signed(who.to_account_id());
    call.into().dispatch(origin).expect("the set-up is right");
}

fn sign(who: Sr25519Keyring, payload: &[u8]) -> MultiSignature {
    MultiSignature::Sr25519(who.sign(payload))
}

/// Numbers of a fixed sequence.
fn noise(mut state: u32) -> impl Iterator<Item = i8> {
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as i8
    })
    .map(|value| value.max(-127))
}

fn contribution(datanet: DatanetId, leaves: Commitment) -> pallet_datanets::Call<Runtime> {
    let rules = FIRST_RULESET.data;
    pallet_datanets::Call::contribute {
        datanet,
        leaves,
        bytes: u64::from(leaves.count) * 300,
        media: MediaType::Text,
        content: [1; 32],
        licence: Licence {
            spdx: b"MIT OR Apache-2.0"
                .to_vec()
                .try_into()
                .expect("it is short"),
            terms: Terms::FREE,
        },
        supersedes: None,
        stake: rules.contribution_stake + rules.record_stake * Balance::from(leaves.count),
    }
}

impl World {
    /// Makes the world on a chain that has no block yet.
    pub(crate) fn make(node: &mut Node) -> Self {
        let ruleset = Ruleset {
            receipt: attribution_proof::ruleset::ReceiptRules {
                top_k: MAX_CREDITS,
                ..FIRST_RULESET.receipt
            },
            ..FIRST_RULESET
        };
        node.advance(1);
        let (datanet, owners) = node.inside(|| found(ruleset));
        node.advance(FIRST_RULESET.data.contribution_window + 1);
        let job = node.inside(|| {
            for &contribution in &owners {
                dispatch(BUILDER, pallet_datanets::Call::accept { contribution });
            }
            request_job(datanet)
        });
        let (model, opening) = train(node, job);
        let Row::Own { g, .. } = &opening.value else {
            unreachable!("the row was made with a gradient of its own")
        };
        let vector: Vec<i16> = g
            .iter()
            .zip(noise(2))
            .map(|(g, n)| i16::from(*g) * 90 + i16::from(n))
            .collect();
        let score = credit_score(&vector, &opening.value, ruleset.receipt.floor())
            .expect("it points along the row");
        let vector = vector.try_into().expect("it has the index's dimension");
        let (honest, challenged) = node.inside(|| (open(), open()));
        Self {
            datanet,
            owners,
            model,
            ruleset,
            opening,
            query: Query {
                vectors: vec![(model, vector)].try_into().expect("it is one"),
            },
            score,
            honest,
            challenged,
            to_void: Vec::new(),
        }
    }

    /// Takes back what the last calls assumed, after none of them was sent.
    pub(crate) fn forget_what_was_not_sent(&mut self, node: &mut Node) {
        self.to_void.clear();
        let id = self.honest.id;
        self.honest.mark = node
            .inside(|| pallet_channels::Channels::<Runtime>::get(id))
            .expect("it is open")
            .mark;
    }

    /// Checks that the challenges of the last block voided what they were about.
    pub(crate) fn check(&mut self) {
        for settlement in self.to_void.drain(..) {
            assert!(
                Attribution::settlement(settlement).is_none(),
                "the challenge must prove the lie"
            );
        }
    }

    pub(crate) fn transfer(&mut self) -> RuntimeCall {
        RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
            dest: PAYER.to_account_id().into(),
            value: UNIT,
        })
    }

    pub(crate) fn contribute(&mut self) -> RuntimeCall {
        let leaves = Commitment {
            root: Hash::repeat_byte(1),
            count: 100,
        };
        contribution(self.datanet, leaves).into()
    }

    /// Settles a receipt with the most credits that there may be.
    pub(crate) fn settle(&mut self) -> RuntimeCall {
        let mut receipt = self.receipt(&self.honest, 1);
        receipt.credits = self.credits(MAX_CREDITS);
        let owners = &self.owners[..MAX_CREDITS as usize];
        let (rules, split) = (&self.ruleset.receipt, &self.ruleset.split);
        receipt.totals = receipt
            .credit_totals(&Totals::default(), owners, rules, split)
            .expect("there is room")
            .commitment();
        self.honest.mark = Mark::after(&receipt);
        settle_call(&receipt).into()
    }

    /// Settles a receipt that credits the opened row too much, demands all that may be demanded, and
    /// proves the lie.
    pub(crate) fn challenge_score(&mut self) -> RuntimeCall {
        let mut receipt = self.receipt(&self.challenged, RECEIPTS);
        let mut credits = self.credits(MAX_CREDITS).into_inner();
        credits.truncate(MAX_CREDITS as usize - 1);
        credits.insert(0, influence_credit(self.model, OPENED_ROW, self.score + 1));
        receipt.credits = credits.try_into().expect("one was taken out");
        receipt.query = self.query.commit();
        let settlement = self.settle_lie(&receipt);
        pallet_attribution::Call::<Runtime>::challenge_score {
            settlement,
            receipt: Box::new(signed(receipt)),
            position: 0,
            query: Box::new(self.query.clone()),
            opening: Box::new(self.opening.clone()),
        }
        .into()
    }

    /// Settles a receipt with false totals, with the most data and the most totals before it that
    /// there may be, and proves the lie.
    pub(crate) fn challenge_step(&mut self) -> RuntimeCall {
        let earlier: Vec<_> = (0..u64::from(MAX_TOTALS - DATA - 1))
            .map(|id| Total {
                model: 0,
                payee: Payee::Contribution(id),
                amount: 1,
            })
            .collect();
        let before = Totals {
            entries: earlier.try_into().expect("they are fewer than the bound"),
        };
        let mut previous = self.receipt(&self.challenged, RECEIPTS - 1);
        previous.totals = before.commitment();
        let mark = Channel {
            id: self.challenged.id,
            mark: Mark::after(&previous),
        };
        let mut receipt = self.receipt(&mark, 1);
        receipt.credits = self.credits(MAX_CREDITS);
        let spans: Vec<_> = (0..MAX_SPANS)
            .map(|at| Span {
                start: SPAN * at,
                length: SPAN,
                at: Occurrence {
                    model: self.model,
                    row: MAX_CREDITS + at,
                    offset: 0,
                },
            })
            .collect();
        receipt.spans = spans.try_into().expect("they are the bound");
        receipt.totals = Commitment {
            root: Hash::repeat_byte(1),
            count: MAX_TOTALS,
        };
        let settlement = self.settle_lie(&receipt);
        let owners = self.owners[..DATA as usize].to_vec();
        pallet_attribution::Call::<Runtime>::challenge_step {
            settlement,
            previous: Some(Box::new(signed(previous))),
            receipt: Box::new(signed(receipt)),
            before: Box::new(before),
            owners: owners.try_into().expect("they are the bound"),
        }
        .into()
    }

    /// Settles a lie and demands each of its receipts.
    fn settle_lie(&mut self, receipt: &Receipt) -> SettlementId {
        let from = self.challenged.mark.sequence;
        dispatch(OPERATOR, settle_call(receipt));
        self.challenged.mark = Mark::after(receipt);
        let settlement = pallet_attribution::SettlementCount::<Runtime>::get();
        for sequence in from + 1..=receipt.sequence {
            let request = DemandRequest::Receipt { sequence };
            dispatch(
                BUILDER,
                pallet_attribution::Call::demand {
                    settlement,
                    request,
                },
            );
        }
        self.to_void.push(settlement);
        settlement
    }

    /// A receipt of `count` later, without data.
    fn receipt(&self, channel: &Channel, count: u64) -> Receipt {
        let response = vec![b'a'; (SPAN * MAX_SPANS) as usize];
        let mark = &channel.mark;
        Receipt {
            genesis: System::block_hash(0),
            channel: channel.id,
            sequence: mark.sequence + count,
            previous: mark.receipt,
            ruleset: 1,
            model: self.model,
            version: 1,
            request: Hash::repeat_byte(1),
            response: response_tree(&response, &Hash::zero()).commitment(),
            response_length: SPAN * MAX_SPANS,
            sampling: Sampling {
                temperature_milli: 0,
                top_p_millionths: 1_000_000,
                top_k: 0,
                maximum_tokens: 2_048,
                seed: 0,
            },
            tokens_in: 100,
            tokens_out: 2_048,
            price: PRICE,
            cumulative: mark.cumulative + PRICE,
            query: Hash::zero(),
            audit: [1; 32],
            credits: Default::default(),
            spans: Default::default(),
            totals: Commitment::default(),
        }
    }

    /// Credits of the first rows, each of another contribution.
    fn credits(&self, count: u32) -> attribution_proof::receipt::Credits {
        let credits: Vec<_> = (0..count)
            .map(|row| influence_credit(self.model, row, i64::from(count - row)))
            .collect();
        credits.try_into().expect("they are the bound at most")
    }
}

fn signed(receipt: Receipt) -> SignedReceipt {
    let signature = sign(OPERATOR, receipt.commit().as_bytes());
    SignedReceipt { receipt, signature }
}

fn settle_call(receipt: &Receipt) -> pallet_attribution::Call<Runtime> {
    let voucher = Voucher {
        genesis: receipt.genesis,
        channel: receipt.channel,
        sequence: receipt.sequence,
        cumulative: receipt.cumulative,
        receipt: receipt.commit(),
    };
    pallet_attribution::Call::settle {
        voucher: SignedVoucher {
            voucher,
            signature: sign(PAYER, &voucher.payload()),
        },
        receipt: Box::new(signed(receipt.clone())),
    }
}

/// The ruleset, an operator, and a Datanet with all its contributions.
fn found(ruleset: Ruleset) -> (DatanetId, Vec<ContributionId>) {
    let add = pallet_attribution::Call::<Runtime>::add_ruleset {
        ruleset: Box::new(ruleset),
    };
    RuntimeCall::from(add)
        .dispatch(RuntimeOrigin::root())
        .expect("root may add a ruleset");
    let bond = 5_000_000 * UNIT;
    let register = pallet_compute::Call::register_operator {
        bond,
        hardware: b"{}".to_vec().try_into().expect("it is short"),
        endpoint: b"http://operator".to_vec().try_into().expect("it is short"),
    };
    dispatch(OPERATOR, register);
    let datanet = pallet_datanets::NextDatanet::<Runtime>::get();
    let name = b"million".to_vec().try_into().expect("it is short");
    dispatch(BUILDER, pallet_datanets::Call::create_open { name });
    let counts = std::iter::repeat_n(1, DATA as usize).chain([ROWS - DATA]);
    let owners = (1u8..)
        .zip(counts)
        .map(|(byte, count)| {
            let id = pallet_datanets::NextContribution::<Runtime>::get();
            let root = Hash::repeat_byte(byte);
            dispatch(
                CONTRIBUTOR,
                contribution(datanet, Commitment { root, count }),
            );
            id
        })
        .collect();
    (datanet, owners)
}

fn request_job(datanet: DatanetId) -> JobId {
    let job = pallet_compute::NextJob::<Runtime>::get();
    let request = pallet_compute::Call::request_job {
        kind: ModelKind::Base,
        datanets: vec![datanet].try_into().expect("it is one"),
        hyper_parameters: [2; 32],
        previous: None,
        royalty: 100_000_000,
        price: 1,
        price_floor: 1,
        fee: UNIT,
    };
    dispatch(BUILDER, request);
    dispatch(OPERATOR, pallet_compute::Call::take_job { job });
    job
}

/// Takes the job to its model, with an index of which one row can be opened.
fn train(node: &mut Node, job: JobId) -> (ModelId, RowOpening) {
    let committed = |commitment| Committed {
        commitment,
        content: [3; 32],
    };
    let two_epochs = 2 * u32::try_from(EPOCH_DURATION_IN_SLOTS).expect("epochs are short");
    node.advance(two_epochs + 1);
    node.inside(|| {
        dispatch(BUILDER, pallet_compute::Call::draw_order_seed { job });
        let transcript = Commitment {
            root: Hash::repeat_byte(6),
            count: 2,
        };
        let submit = pallet_compute::Call::submit_transcript {
            job,
            artifact: [3; 32],
            architecture: Hash::repeat_byte(4),
            tokenizer: Hash::repeat_byte(5),
            transcript: committed(transcript),
            loss_before: 5_000_000,
            loss_after: 2_000_000,
        };
        dispatch(OPERATOR, submit);
    });
    node.advance(3);

    let record = Hash::repeat_byte(7);
    let gradient: Vec<_> = noise(1).take(DIMENSION as usize).collect();
    let value = Row::Own {
        scale: 500,
        g: gradient.try_into().expect("it has the dimension"),
    };
    // Only the opened row needs its gradient; the other leaves stand for theirs.
    let leaves = (0..ROWS)
        .map(|row| match row {
            OPENED_ROW => row_leaf(job, row, &record, &value),
            row => Hash::from_low_u64_be(row.into()),
        })
        .collect();
    let tree = Tree::new(leaves);
    let opening = RowOpening {
        row: OPENED_ROW,
        record,
        value,
        path: tree.path(OPENED_ROW).expect("there is such a row"),
    };
    node.inside(|| {
        // This chain's blocks have authors without a lottery, so nobody drew this.
        pallet_babe::AuthorVrfRandomness::<Runtime>::put(Some([1; 32]));
        dispatch(BUILDER, pallet_compute::Call::draw_projection_seed { job });
        let Some(JobState::Transcribed {
            projection_seed: Some(projection_seed),
            ..
        }) = Compute::job(job).map(|job| job.state)
        else {
            unreachable!("the seed was drawn")
        };
        let spec = IndexSpec {
            version: 1,
            dimension: DIMENSION,
            scale_cap: 1_000,
            norm_minimum: 1,
            norm_maximum: u64::MAX,
            method: InfluenceMethod::DampedGaussNewton,
            projection_seed,
            preconditioner: Hash::repeat_byte(8),
        };
        let index = committed(tree.commitment());
        dispatch(
            OPERATOR,
            pallet_compute::Call::submit_index { job, index, spec },
        );
    });
    node.advance(FIRST_RULESET.compute.job_window + 1);
    let model = node.inside(|| {
        let model = pallet_models::NextModel::<Runtime>::get();
        dispatch(BUILDER, pallet_compute::Call::finalise_job { job });
        model
    });
    (model, opening)
}

fn open() -> Channel {
    let id = pallet_channels::NextChannel::<Runtime>::get();
    let open = pallet_channels::Call::open {
        payee: OPERATOR.to_account_id(),
        signer: None,
        deposit: 1_000_000 * UNIT,
        expiry: System::block_number() + 1_000_000,
    };
    dispatch(PAYER, open);
    Channel {
        id,
        mark: Mark::default(),
    }
}
