//! Random operations across OpenLedger's pallets, most of them sensible, some of them not:
//! after each one nothing was made or lost, and holds and books agree.
//!
//! Operations are drawn from a seeded generator, so a failure repeats; `OPENLEDGER_SEED` picks another
//! run and `OPENLEDGER_OPERATIONS` its length. Each check walks all books, so the time grows with the
//! square of the length: ten thousand take minutes.

use attribution_proof::{
    challenge::{influence_credit, Mark},
    contribution::MediaType,
    hash::Hash,
    influence::{IndexSpec, InfluenceMethod, Query},
    licence::{Licence, Terms},
    merkle::{Commitment, Tree},
    model::{Committed, ModelKind},
    receipt::{response_tree, Receipt, Sampling, SignedReceipt},
    record::{
        content_tree, record_commit, record_leaf, ChunkOpening, ChunkWindow, MalformedEvidence,
        RecordOpening,
    },
    totals::{TotalOpening, Totals},
    voucher::{SignedVoucher, Voucher},
    AccountId, Balance, ChannelId, ContributionId, DatanetId, JobId, ModelId, SettlementId,
};

use openledger_runtime::{
    configs::ruleset::FIRST_RULESET, constants::currency::UNIT, Channels, Compute, Datanets,
    Models, Runtime, RuntimeCall, RuntimeOrigin, System,
};
use pallet_compute::JobState;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha20Rng,
};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::Dispatchable, DispatchError, MultiSignature};
use std::collections::BTreeMap;

use crate::chain::{check_books, parameter, run_on};

/// Operations without `OPENLEDGER_OPERATIONS`.
const OPERATIONS: u64 = 3_000;
/// Seed without `OPENLEDGER_SEED`.
const SEED: u64 = 20_261_120;

/// What somebody contributed.
struct Contributed {
    id: ContributionId,
    contributor: AccountId,
    records: Vec<Vec<u8>>,
    tree: Tree,
}

impl Contributed {
    fn opening(&self, index: u32) -> RecordOpening {
        let bytes = &self.records[index as usize];
        RecordOpening {
            index,
            salt: Hash::zero(),
            content: content_tree(bytes).commitment(),
            len: bytes.len() as u32,
            path: self.tree.path(index).unwrap(),
        }
    }

    fn chunk(&self, index: u32) -> ChunkOpening {
        let bytes = &self.records[index as usize];
        let data = bytes[..bytes.len().min(1_024)].to_vec();
        ChunkOpening {
            index: 0,
            data: data.try_into().unwrap(),
            path: content_tree(bytes).path(0).unwrap(),
        }
    }
}

/// A channel as its two sides see it.
struct Open {
    id: ChannelId,
    payer: Sr25519Keyring,
    payee: Sr25519Keyring,
    mark: Mark,
}

/// A settlement and what the operator keeps of it.
struct Settled {
    id: SettlementId,
    receipt: SignedReceipt,
    totals: Totals,
}

struct World {
    random: ChaCha20Rng,
    datanets: Vec<DatanetId>,
    contributions: Vec<Contributed>,
    jobs: Vec<JobId>,
    models: Vec<ModelId>,
    channels: Vec<Open>,
    settlements: Vec<Settled>,
    /// How often each operation was tried, how often it succeeded, and why it last failed.
    counts: BTreeMap<&'static str, (u64, u64, Option<DispatchError>)>,
}

fn origin(who: Sr25519Keyring) -> RuntimeOrigin {
    RuntimeOrigin::signed(who.to_account_id())
}

impl World {
    fn below(&mut self, bound: usize) -> usize {
        (self.random.next_u64() % bound.max(1) as u64) as usize
    }

    fn account(&mut self) -> Sr25519Keyring {
        let keys: Vec<_> = Sr25519Keyring::well_known().collect();
        keys[self.below(keys.len())]
    }

    fn amount(&mut self, most: Balance) -> Balance {
        Balance::from(self.random.next_u64()) * Balance::from(self.random.next_u64()) % most
    }

    /// Dispatches a call and counts it.
    fn send(
        &mut self,
        name: &'static str,
        who: Sr25519Keyring,
        call: impl Into<RuntimeCall>,
    ) -> bool {
        let result = call.into().dispatch(origin(who));
        let (tried, done, failure) = self.counts.entry(name).or_default();
        *tried += 1;
        match result {
            Ok(_) => *done += 1,
            Err(error) => *failure = Some(error.error),
        }
        result.is_ok()
    }

    fn records(&mut self) -> Vec<Vec<u8>> {
        let count = 1 + self.below(4);
        (0..count)
            .map(|_| {
                // Few different texts: copies are common. One breaks the text rule.
                let text = self.below(9);
                let mut bytes = format!("text number {text} ")
                    .repeat(25)
                    .trim_end()
                    .as_bytes()
                    .to_vec();
                if text == 8 {
                    bytes.push(b' ');
                }
                bytes
            })
            .collect()
    }

    fn data(&mut self) {
        let who = self.account();
        let at = self.below(self.datanets.len());
        let datanet = self.datanets.get(at).copied().unwrap_or(9);
        match self.below(12) {
            0 if self.datanets.len() < 12 => {
                let next = pallet_datanets::NextDatanet::<Runtime>::get();
                let name = b"open".to_vec().try_into().unwrap();
                if self.send(
                    "create_open",
                    who,
                    pallet_datanets::Call::create_open { name },
                ) {
                    self.datanets.push(next);
                }
            }
            1 if self.datanets.len() < 12 => {
                let next = pallet_datanets::NextDatanet::<Runtime>::get();
                let name = b"curated".to_vec().try_into().unwrap();
                let curators = vec![
                    Sr25519Keyring::Alice.to_account_id(),
                    Sr25519Keyring::Bob.to_account_id(),
                ];
                let call = pallet_datanets::Call::create_curated {
                    name,
                    curators: curators.try_into().unwrap(),
                    threshold: 1,
                };
                if self.send("create_curated", who, call) {
                    self.datanets.push(next);
                    for curator in [Sr25519Keyring::Alice, Sr25519Keyring::Bob] {
                        let call = pallet_datanets::Call::join_as_curator { datanet: next };
                        self.send("join_as_curator", curator, call);
                    }
                }
            }
            2..=5 => self.contribute(who, datanet),
            6 => {
                let call = pallet_datanets::Call::leave_as_curator { datanet };
                self.send("leave_as_curator", Sr25519Keyring::Bob, call);
                let call = pallet_datanets::Call::join_as_curator { datanet };
                self.send("join_as_curator", Sr25519Keyring::Bob, call);
            }
            _ if self.contributions.is_empty() => self.contribute(who, datanet),
            7 => self.challenge_record(who),
            8 => self.demand_record(who),
            _ => {
                let at = self.below(self.contributions.len());
                let contribution = self.contributions[at].id;
                match self.below(7) {
                    0 => {
                        let call = pallet_datanets::Call::vote {
                            contribution,
                            approve: true,
                        };
                        self.send("vote", Sr25519Keyring::Alice, call);
                    }
                    1 => {
                        let call = pallet_datanets::Call::vote {
                            contribution,
                            approve: false,
                        };
                        self.send("vote", Sr25519Keyring::Bob, call);
                    }
                    2 => {
                        self.send("lapse", who, pallet_datanets::Call::lapse { contribution });
                    }
                    3 => {
                        let owner = self.contributions[at].contributor.clone();
                        let owner = Sr25519Keyring::from_account_id(&owner).unwrap_or(who);
                        self.send(
                            "withdraw",
                            owner,
                            pallet_datanets::Call::withdraw { contribution },
                        );
                    }
                    4 => {
                        let call = pallet_datanets::Call::release_stake { contribution };
                        self.send("release_stake", who, call);
                    }
                    _ => {
                        self.send(
                            "accept",
                            who,
                            pallet_datanets::Call::accept { contribution },
                        );
                    }
                }
            }
        }
    }

    fn contribute(&mut self, who: Sr25519Keyring, datanet: DatanetId) {
        let records = self.records();
        let contributor = who.to_account_id();
        let leaves = (0u32..).zip(&records).map(|(index, bytes)| {
            let commit = record_commit(&Hash::zero(), &content_tree(bytes).commitment());
            record_leaf(index, &contributor, &commit, bytes.len() as u32)
        });
        let tree = Tree::new(leaves.collect());
        let id = pallet_datanets::NextContribution::<Runtime>::get();
        let terms = Terms {
            attribution: self.below(2) == 0,
            ..Terms::FREE
        };
        let call = pallet_datanets::Call::contribute {
            datanet,
            leaves: tree.commitment(),
            bytes: records.iter().map(|record| record.len() as u64).sum(),
            media: MediaType::Text,
            content: [1; 32],
            licence: Licence {
                spdx: b"MIT".to_vec().try_into().unwrap(),
                terms,
            },
            supersedes: None,
            stake: UNIT + self.amount(2 * UNIT),
        };
        if self.send("contribute", who, call) {
            self.contributions.push(Contributed {
                id,
                contributor,
                records,
                tree,
            });
        }
    }

    fn challenge_record(&mut self, who: Sr25519Keyring) {
        let (later, earlier) = (
            self.below(self.contributions.len()),
            self.below(self.contributions.len()),
        );
        let (later, earlier) = (later.max(earlier), later.min(earlier));
        let record = self.below(self.contributions[later].records.len()) as u32;
        let later = &self.contributions[later];
        if record.is_multiple_of(2) {
            let call = pallet_datanets::Call::challenge_malformed {
                contribution: later.id,
                opening: Box::new(later.opening(record)),
                evidence: Box::new(MalformedEvidence::Chunks(ChunkWindow {
                    first: later.chunk(record),
                    second: None,
                })),
            };
            self.send("challenge_malformed", who, call);
            return;
        }
        let earlier = &self.contributions[earlier];
        let copy = earlier
            .records
            .iter()
            .position(|bytes| *bytes == later.records[record as usize])
            .unwrap_or(0);
        let call = pallet_datanets::Call::challenge_duplicate {
            later: later.id,
            later_opening: Box::new(later.opening(record)),
            earlier: earlier.id,
            earlier_opening: Box::new(earlier.opening(copy as u32)),
        };
        self.send("challenge_duplicate", who, call);
    }

    fn demand_record(&mut self, who: Sr25519Keyring) {
        let at = self.below(self.contributions.len());
        let record = self.below(self.contributions[at].records.len()) as u32;
        let demand = pallet_datanets::NextDemand::<Runtime>::get();
        let contribution = self.contributions[at].id;
        let call = pallet_datanets::Call::demand {
            contribution,
            record,
            chunk: 0,
        };
        if self.send("demand record", who, call) && self.below(2) == 0 {
            let contributed = &self.contributions[at];
            let call = pallet_datanets::Call::answer_demand {
                demand,
                record: Box::new(contributed.opening(record)),
                chunk: Some(Box::new(contributed.chunk(record))),
            };
            let helper = self.account();
            self.send("answer record", helper, call);
        }
        let old = demand.saturating_sub(self.below(20) as u64);
        self.send(
            "expire record",
            who,
            pallet_datanets::Call::expire_demand { demand: old },
        );
    }

    fn compute(&mut self) {
        let who = self.account();
        match self.below(14) {
            0 | 1 => {
                let call = pallet_compute::Call::register_operator {
                    bond: 10_000 * UNIT + self.amount(20_000 * UNIT),
                    hardware: b"{}".to_vec().try_into().unwrap(),
                    endpoint: b"http://operator".to_vec().try_into().unwrap(),
                };
                self.send("register_operator", who, call);
            }
            2 => {
                let amount = self.amount(100 * UNIT);
                self.send("add_bond", who, pallet_compute::Call::add_bond { amount });
            }
            3 if self.below(4) == 0 => {
                self.send("drain", who, pallet_compute::Call::drain {});
            }
            4 => {
                self.send("withdraw_bond", who, pallet_compute::Call::withdraw_bond {});
            }
            5 | 6 if !self.datanets.is_empty() => {
                let at = self.below(self.datanets.len());
                let datanet = self.datanets[at];
                let next = pallet_compute::NextJob::<Runtime>::get();
                let call = pallet_compute::Call::request_job {
                    kind: ModelKind::Base,
                    datanets: vec![datanet].try_into().unwrap(),
                    hyper_parameters: [2; 32],
                    previous: None,
                    royalty: 100_000_000,
                    price: 1_000,
                    price_floor: 1,
                    fee: UNIT + self.amount(100 * UNIT),
                };
                if self.send("request_job", who, call) {
                    self.jobs.push(next);
                }
            }
            _ if self.jobs.is_empty() => {}
            7 => {
                let at = self.below(self.jobs.len());
                let job = self.jobs[at];
                self.send("cancel_job", who, pallet_compute::Call::cancel_job { job });
                self.send("expire_job", who, pallet_compute::Call::expire_job { job });
            }
            8 => {
                let at = self.below(self.jobs.len());
                let job = self.jobs[at];
                self.send("forget_job", who, pallet_compute::Call::forget_job { job });
            }
            _ => {
                let at = self.below(self.jobs.len());
                self.advance_job(self.jobs[at]);
            }
        }
    }

    /// Does what comes next for a job.
    fn advance_job(&mut self, job: JobId) {
        let who = self.account();
        let Some(found) = Compute::job(job) else {
            return;
        };
        match found.state {
            JobState::Open { .. } => {
                self.send("take_job", who, pallet_compute::Call::take_job { job });
            }
            JobState::Taken {
                order_seed: None, ..
            } => {
                self.send(
                    "draw_order_seed",
                    who,
                    pallet_compute::Call::draw_order_seed { job },
                );
            }
            JobState::Taken { assignment, .. } => {
                let operator = Sr25519Keyring::from_account_id(&assignment.operator).unwrap_or(who);
                let call = pallet_compute::Call::submit_transcript {
                    job,
                    artifact: [3; 32],
                    architecture: Hash::repeat_byte(4),
                    tokenizer: Hash::repeat_byte(5),
                    transcript: Committed {
                        commitment: Commitment {
                            root: Hash::repeat_byte(6),
                            count: 2,
                        },
                        content: [6; 32],
                    },
                    loss_before: 5_000_000,
                    loss_after: 2_000_000,
                };
                self.send("submit_transcript", operator, call);
            }
            JobState::Transcribed {
                projection_seed: None,
                ..
            } => {
                let call = pallet_compute::Call::draw_projection_seed { job };
                self.send("draw_projection_seed", who, call);
            }
            JobState::Transcribed {
                assignment,
                projection_seed: Some(seed),
                ..
            } => {
                let operator = Sr25519Keyring::from_account_id(&assignment.operator).unwrap_or(who);
                let rows = found.inputs.iter().map(|input| input.records).sum();
                let spec = IndexSpec {
                    version: 1,
                    dimension: 4,
                    scale_cap: 10,
                    norm_minimum: 1,
                    norm_maximum: 1_000,
                    method: InfluenceMethod::DampedGaussNewton,
                    projection_seed: seed,
                    preconditioner: Hash::repeat_byte(7),
                };
                let index = Committed {
                    commitment: Commitment {
                        root: Hash::repeat_byte(8),
                        count: rows,
                    },
                    content: [8; 32],
                };
                self.send(
                    "submit_index",
                    operator,
                    pallet_compute::Call::submit_index { job, index, spec },
                );
            }
            JobState::Submitted { .. } => {
                let next = pallet_models::NextModel::<Runtime>::get();
                let done = self.send(
                    "finalise_job",
                    who,
                    pallet_compute::Call::finalise_job { job },
                );
                if done && Models::manifest(next).is_some() {
                    self.models.push(next);
                }
            }
            JobState::Finalised { .. } | JobState::Refunded { .. } => {}
        }
    }

    fn pay(&mut self) {
        let who = self.account();
        match self.below(12) {
            0 => {
                let payee = self.account();
                let next = pallet_channels::NextChannel::<Runtime>::get();
                let call = pallet_channels::Call::open {
                    payee: payee.to_account_id(),
                    signer: None,
                    deposit: UNIT + self.amount(50 * UNIT),
                    expiry: System::block_number() + 20 + self.below(500) as u32,
                };
                if self.send("open", who, call) {
                    let mark = Mark::default();
                    self.channels.push(Open {
                        id: next,
                        payer: who,
                        payee,
                        mark,
                    });
                }
            }
            _ if self.channels.is_empty() => {}
            1 => {
                let at = self.below(self.channels.len());
                let (channel, payer) = (self.channels[at].id, self.channels[at].payer);
                let amount = self.amount(10 * UNIT);
                self.send(
                    "top_up",
                    payer,
                    pallet_channels::Call::top_up { channel, amount },
                );
            }
            2 => {
                let at = self.below(self.channels.len());
                let Open {
                    id: channel,
                    payer,
                    payee,
                    ..
                } = self.channels[at];
                match self.below(12) {
                    0 => self.send(
                        "request_close",
                        payer,
                        pallet_channels::Call::request_close { channel },
                    ),
                    1 => self.send(
                        "close_as_payee",
                        payee,
                        pallet_channels::Call::close_as_payee { channel },
                    ),
                    _ => self.send("close", who, pallet_channels::Call::close { channel }),
                };
            }
            3..=6 => self.settle(),
            _ if self.settlements.is_empty() => self.settle(),
            7 => self.challenge_settlement(who),
            8 => {
                let limit = 1 + self.below(8) as u32;
                self.send("claim", who, pallet_attribution::Call::claim { limit });
            }
            9 | 10 => {
                let at = self.below(self.settlements.len());
                let settlement = self.settlements[at].id;
                self.send(
                    "finalise",
                    who,
                    pallet_attribution::Call::finalise { settlement },
                );
                self.pay_entry(who, at);
            }
            _ => {
                let at = self.below(self.settlements.len());
                let settlement = self.settlements[at].id;
                let sequence = self.settlements[at].receipt.receipt.sequence;
                let request = pallet_attribution::DemandRequest::Receipt { sequence };
                self.send(
                    "demand receipt",
                    who,
                    pallet_attribution::Call::demand {
                        settlement,
                        request,
                    },
                );
                let newest = pallet_attribution::DemandCount::<Runtime>::get();
                let demand = newest.saturating_sub(self.below(8) as u64);
                let call = pallet_attribution::Call::expire_demand { settlement, demand };
                self.send("expire receipt", who, call);
            }
        }
    }

    /// Signs and settles a receipt over a random model; one in six lies about its totals.
    fn settle(&mut self) {
        let at = self.below(self.channels.len());
        let Open {
            id: channel,
            payer,
            payee,
            mark,
        } = self.channels[at];
        let Some(stored) = Channels::channel(channel) else {
            return;
        };
        let chosen = self.below(self.models.len());
        let model = self.models.get(chosen).copied();
        let Some(manifest) = model.and_then(Models::manifest) else {
            return;
        };
        let Some(training) = manifest.training else {
            return;
        };
        let price = self.amount(stored.deposit.max(1));
        let rows = training.result.index.commitment.count;
        let credits: Vec<_> = (0..rows.min(1 + self.below(4) as u32))
            .map(|row| influence_credit(model.unwrap(), row, 100 - i64::from(row)))
            .collect();
        let owners: Vec<_> = credits
            .iter()
            .map(|credit| self.owner(&training.inputs, credit.row))
            .collect();
        let response = b"an answer".to_vec();
        let mut receipt = Receipt {
            genesis: System::block_hash(0),
            channel,
            sequence: mark.sequence + 1,
            previous: mark.receipt,
            ruleset: stored.ruleset,
            model: model.unwrap(),
            version: manifest.version,
            request: Hash::repeat_byte(1),
            response: response_tree(&response, &Hash::zero()).commitment(),
            response_length: response.len() as u32,
            sampling: Sampling {
                temperature_milli: 0,
                top_p_millionths: 1_000_000,
                top_k: 0,
                maximum_tokens: 10,
                seed: 0,
            },
            tokens_in: 1,
            tokens_out: 1,
            price,
            cumulative: mark.cumulative + price,
            query: Query::default().commit(),
            audit: [0; 32],
            credits: credits.try_into().unwrap(),
            spans: Default::default(),
            totals: Commitment::default(),
        };
        let totals = receipt
            .credit_totals(
                &Totals::default(),
                &owners,
                &FIRST_RULESET.receipt,
                &FIRST_RULESET.split,
            )
            .expect("a handful of entries fit");
        receipt.totals = totals.commitment();
        if self.below(6) == 0 {
            receipt.totals.root = Hash::repeat_byte(0xbad_u16 as u8);
        }
        let signature = MultiSignature::Sr25519(payee.sign(receipt.commit().as_bytes()));
        let voucher = Voucher {
            genesis: receipt.genesis,
            channel,
            sequence: receipt.sequence,
            cumulative: receipt.cumulative,
            receipt: receipt.commit(),
        };
        let signed = SignedVoucher {
            voucher,
            signature: MultiSignature::Sr25519(payer.sign(&voucher.payload())),
        };
        let receipt = SignedReceipt { receipt, signature };
        let id = pallet_attribution::SettlementCount::<Runtime>::get() + 1;
        let call = pallet_attribution::Call::settle {
            voucher: signed,
            receipt: Box::new(receipt.clone()),
        };
        if self.send("settle", payee, call) {
            self.channels[at].mark = Mark::after(&receipt.receipt);
            self.settlements.push(Settled {
                id,
                receipt,
                totals,
            });
        }
    }

    /// The contribution that owns a row.
    fn owner(
        &self,
        inputs: &[attribution_proof::contribution::Snapshot],
        row: u32,
    ) -> ContributionId {
        let mut first = 0;
        for input in inputs {
            for index in 0..input.length {
                let id = pallet_datanets::Accepted::<Runtime>::get(input.datanet, index).unwrap();
                let count = Datanets::contribution(id).unwrap().leaves.count;
                if row < first + count {
                    return id;
                }
                first += count;
            }
        }
        panic!("row {row} is past the inputs")
    }

    fn pay_entry(&mut self, who: Sr25519Keyring, at: usize) {
        let Settled {
            id: settlement,
            ref totals,
            ..
        } = self.settlements[at];
        let tree = totals.tree();
        let openings: Vec<_> = (0u32..)
            .zip(&totals.entries)
            .map(|(index, total)| TotalOpening {
                index,
                total: *total,
                path: tree.path(index).unwrap(),
            })
            .collect();
        let skip = self.below(openings.len().max(1));
        let page: Vec<_> = openings.into_iter().skip(skip).collect();
        let call = pallet_attribution::Call::pay {
            settlement,
            openings: page.try_into().unwrap(),
        };
        self.send("pay", who, call);
    }

    /// Convicts the settlements that lie about their totals, and loses a bond on the honest ones.
    fn challenge_settlement(&mut self, who: Sr25519Keyring) {
        let at = self.settlements.len() - 1 - self.below(self.settlements.len().min(6));
        let settled = &self.settlements[at];
        let receipt = &settled.receipt.receipt;
        let Some(training) = Models::manifest(receipt.model).and_then(|found| found.training)
        else {
            return;
        };
        let owners: Vec<_> = receipt
            .data()
            .map(|(_, row)| self.owner(&training.inputs, row))
            .collect();
        let call = pallet_attribution::Call::challenge_step {
            settlement: settled.id,
            previous: None,
            receipt: Box::new(settled.receipt.clone()),
            before: Box::new(Totals::default()),
            owners: owners.try_into().unwrap(),
        };
        self.send("challenge_step", who, call);
    }

    fn step(&mut self) {
        match self.below(20) {
            0..=6 => self.data(),
            7..=11 => self.compute(),
            12..=17 => self.pay(),
            _ => {
                let now = System::block_number() + 1 + self.below(3) as u32;
                System::set_block_number(now);
                // What BABE would have drawn by then.
                pallet_babe::EpochStart::<Runtime>::put((now, now));
                pallet_babe::AuthorVrfRandomness::<Runtime>::put(Some([now as u8; 32]));
            }
        }
    }
}

#[test]
fn success_books_agree_after_each_random_operation() {
    let seed = parameter("OPENLEDGER_SEED", SEED);
    println!("seed {seed}; another one with OPENLEDGER_SEED");
    run_on(DEV_RUNTIME_PRESET, |_| {
        System::set_block_number(1);
        let mut world = World {
            random: ChaCha20Rng::seed_from_u64(seed),
            datanets: Vec::new(),
            contributions: Vec::new(),
            jobs: Vec::new(),
            models: Vec::new(),
            channels: Vec::new(),
            settlements: Vec::new(),
            counts: BTreeMap::new(),
        };
        let operations = parameter("OPENLEDGER_OPERATIONS", OPERATIONS);
        for _ in 0..operations {
            world.step();
            check_books();
        }
        for (name, (tried, done, failure)) in &world.counts {
            let failure = failure.map(<&'static str>::from).unwrap_or_default();
            println!("{name:24} {done:6} of {tried:6}  {failure}");
        }
        // A run that never gets anywhere proves nothing.
        if operations >= OPERATIONS {
            for name in [
                "accept",
                "challenge_duplicate",
                "challenge_malformed",
                "finalise_job",
                "open",
                "settle",
                "challenge_step",
                "finalise",
                "pay",
                "claim",
                "withdraw_bond",
            ] {
                assert!(
                    world.counts.get(name).is_some_and(|(_, done, _)| *done > 0),
                    "{name} never succeeded"
                );
            }
        }
    });
}
