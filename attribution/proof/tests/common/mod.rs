//! A small honest world: two contributions, one trained model, one channel of receipts. Tests forge
//! parts of it.
#![allow(dead_code, missing_docs, unreachable_pub)]

use attribution_proof::{
    bounds::CHUNK_BYTES,
    challenge::{influence_credit, LineageModel, Mark},
    hash::{hash_bytes, Hash, Tag},
    influence::{
        credit_score, row_leaf, Gradient, IndexSpec, InfluenceMethod, Query, QueryVector, Row,
        RowOpening,
    },
    merkle::{Commitment, Tree},
    receipt::{response_salt, response_tree, Receipt, ResponseChunkOpening, Sampling},
    record::{content_tree, record_commit, record_leaf, ChunkOpening, RecordOpening},
    ruleset::{ComputeRules, DataRules, ReceiptRules, Ruleset, SettlementRules},
    span::{Occurrence, Span},
    split::SplitRule,
    totals::Totals,
    AccountId, ContributionId, JobId, ModelId,
};

pub const UNIT: u128 = 1_000_000_000_000_000_000;
pub const JOB: JobId = 7;
pub const MODEL: ModelId = 3;
pub const DIMENSION: u32 = 16;

pub fn account(byte: u8) -> AccountId {
    AccountId::new([byte; 32])
}

pub fn digest(text: &str) -> Hash {
    hash_bytes(Tag::Request, text.as_bytes())
}

pub fn ruleset() -> Ruleset {
    Ruleset {
        data: DataRules {
            contribution_window: 10,
            contribution_stake: UNIT,
            record_stake: UNIT / 100,
            curator_stake: 10 * UNIT,
            minimum_record_bytes: 256,
            duplicate_threshold: 200_000_000,
        },
        compute: ComputeRules {
            operator_bond: 1_000 * UNIT,
            job_stake: 100 * UNIT,
            take_deadline: 100,
            submit_deadline: 1_000,
            job_window: 10,
        },
        receipt: ReceiptRules {
            top_k: 4,
            floor_numerator: 1,
            floor_denominator: 100,
            minimum_span: 12,
            span_weight_cap: 256,
            influence_mix: 500_000_000,
        },
        settlement: SettlementRules {
            settlement_window: 20,
            dispute_period: 20,
            challenge_bond: UNIT,
            demand_bond: UNIT,
            demand_window: 5,
            lie_slash: 100 * UNIT,
            challenger_reward: 300_000_000,
        },
        split: SplitRule {
            operator: 500_000_000,
            builder: 200_000_000,
            data: 200_000_000,
            stakers: 50_000_000,
            treasury: 50_000_000,
        },
    }
}

/// Records with their trees: what a contributor holds.
pub struct Registered {
    pub contributor: AccountId,
    pub records: Vec<Vec<u8>>,
    pub tree: Tree,
}

impl Registered {
    pub fn new(contributor: AccountId, records: Vec<Vec<u8>>) -> Self {
        let leaves = (0u32..)
            .zip(&records)
            .map(|(index, bytes)| {
                let commit = record_commit(&Hash::zero(), &content_tree(bytes).commitment());
                record_leaf(index, &contributor, &commit, bytes.len() as u32)
            })
            .collect();
        Self {
            contributor,
            records,
            tree: Tree::new(leaves),
        }
    }

    pub fn leaves(&self) -> Commitment {
        self.tree.commitment()
    }

    pub fn opening(&self, index: u32) -> RecordOpening {
        let bytes = &self.records[index as usize];
        RecordOpening {
            index,
            salt: Hash::zero(),
            content: content_tree(bytes).commitment(),
            len: bytes.len() as u32,
            path: self.tree.path(index).unwrap(),
        }
    }

    pub fn chunk(&self, record: u32, index: u32) -> ChunkOpening {
        chunk_of(&self.records[record as usize], index)
    }
}

pub fn chunk_of(bytes: &[u8], index: u32) -> ChunkOpening {
    let data = bytes
        .chunks(CHUNK_BYTES as usize)
        .nth(index as usize)
        .unwrap();
    ChunkOpening {
        index,
        data: data.to_vec().try_into().unwrap(),
        path: content_tree(bytes).path(index).unwrap(),
    }
}

pub fn response_chunk(response: &[u8], secret: &Hash, index: u32) -> ResponseChunkOpening {
    let data = response
        .chunks(CHUNK_BYTES as usize)
        .nth(index as usize)
        .unwrap();
    ResponseChunkOpening {
        index,
        salt: response_salt(secret, index),
        data: data.to_vec().try_into().unwrap(),
        path: response_tree(response, secret).path(index).unwrap(),
    }
}

/// A repeatable stream of small numbers.
pub fn noise(seed: u64) -> impl Iterator<Item = i8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    core::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 32) % 255) as i16 as i32 as i64 as i16 as i8
    })
    .map(|value| if value == i8::MIN { 0 } else { value })
}

pub struct Index {
    pub spec: IndexSpec,
    pub rows: Vec<(Hash, Row)>,
    pub tree: Tree,
}

impl Index {
    pub fn new(rows: Vec<(Hash, Row)>) -> Self {
        let leaves = (0u32..)
            .zip(&rows)
            .map(|(row, (record, value))| row_leaf(JOB, row, record, value));
        let tree = Tree::new(leaves.collect());
        let spec = IndexSpec {
            version: 1,
            dimension: DIMENSION,
            scale_cap: 1_000,
            norm_minimum: 1,
            norm_maximum: u64::from(DIMENSION) * 127 * 127,
            method: InfluenceMethod::DampedGaussNewton,
            projection_seed: digest("projection"),
            preconditioner: digest("preconditioner"),
        };
        Self { spec, rows, tree }
    }

    pub fn opening(&self, row: u32) -> RowOpening {
        let (record, value) = self.rows[row as usize].clone();
        RowOpening {
            row,
            record,
            value,
            path: self.tree.path(row).unwrap(),
        }
    }
}

/// The honest world.
pub struct World {
    pub ruleset: Ruleset,
    pub data: Registered,
    pub index: Index,
    pub query: Query,
    pub secret: Hash,
    pub response: Vec<u8>,
    pub receipt: Receipt,
    pub totals: Totals,
    pub owners: Vec<ContributionId>,
}

pub const LINEAGE: [LineageModel; 1] = [LineageModel {
    model: MODEL,
    rows: 9,
}];

impl World {
    pub fn new() -> Self {
        let ruleset = ruleset();
        let records: Vec<Vec<u8>> = (0..9)
            .map(|record| {
                let mut text = format!("record {record} speaks of its own matter at some length; ");
                while text.len() < 1_500 {
                    text.push_str(&format!("line {} of record {record}\n", text.len()));
                }
                text.into_bytes()
            })
            .collect();
        let data = Registered::new(account(1), records);
        let rows = (0u32..9)
            .map(|row| {
                let leaf = data.opening(row).leaf(&data.contributor);
                let value = match row {
                    5 => Row::DuplicateOf(2),
                    6 => Row::Absent,
                    _ => Row::Own {
                        scale: 100 + row as u16,
                        g: noise(row.into())
                            .take(DIMENSION as usize)
                            .collect::<Vec<_>>()
                            .try_into()
                            .unwrap(),
                    },
                };
                (leaf, value)
            })
            .collect();
        let index = Index::new(rows);
        let Row::Own { g, .. } = &index.rows[2].1 else {
            unreachable!()
        };
        let vector: Vec<i16> = g
            .iter()
            .zip(noise(99))
            .map(|(g, n)| i16::from(*g) * 100 + i16::from(n) * 30)
            .collect();
        let query = Query {
            vectors: vec![(MODEL, QueryVector::try_from(vector).unwrap())]
                .try_into()
                .unwrap(),
        };
        let secret = digest("secret");
        let mut response = b"an answer: ".to_vec();
        response.extend_from_slice(&data.records[4][900..1_100]);
        response.extend_from_slice(b" ... and then some words of its own ~~~ ");
        let spans = vec![Span {
            start: 11,
            length: 200,
            at: Occurrence {
                model: MODEL,
                row: 4,
                offset: 900,
            },
        }];
        let mut world = Self {
            ruleset,
            data,
            index,
            query,
            secret,
            response,
            receipt: Receipt {
                genesis: digest("genesis"),
                channel: 5,
                sequence: 1,
                previous: Hash::zero(),
                ruleset: 0,
                model: MODEL,
                version: 1,
                request: digest("request"),
                response: Commitment::default(),
                response_length: 0,
                sampling: Sampling {
                    temperature_milli: 700,
                    top_p_millionths: 950_000,
                    top_k: 40,
                    maximum_tokens: 256,
                    seed: 42,
                },
                tokens_in: 20,
                tokens_out: 251,
                price: 1_000_003,
                cumulative: 1_000_003,
                query: Hash::zero(),
                audit: [9; 32],
                credits: Default::default(),
                spans: spans.try_into().unwrap(),
                totals: Commitment::default(),
            },
            totals: Totals::default(),
            owners: Vec::new(),
        };
        world.receipt.credits = world.true_credits().try_into().unwrap();
        world.seal();
        world
    }

    pub fn true_credits(&self) -> Vec<attribution_proof::receipt::Credit> {
        let vector = self.query.vector(MODEL).unwrap();
        let mut credits: Vec<_> = (0u32..)
            .zip(&self.index.rows)
            .filter_map(|(row, (_, value))| {
                credit_score(vector, value, self.ruleset.receipt.floor())
                    .map(|score| influence_credit(MODEL, row, score))
            })
            .collect();
        credits.sort_by_key(|credit| credit.order());
        credits.truncate(self.ruleset.receipt.top_k as usize);
        credits
    }

    /// Recomputes everything that follows from the rest of the receipt.
    pub fn seal(&mut self) {
        self.receipt.query = self.query.commit();
        self.receipt.response = response_tree(&self.response, &self.secret).commitment();
        self.receipt.response_length = self.response.len() as u32;
        self.owners = self
            .receipt
            .data()
            .map(|(_, row)| if row < 5 { 1 } else { 2 })
            .collect();
        self.totals = self
            .receipt
            .credit_totals(
                &Totals::default(),
                &self.owners,
                &self.ruleset.receipt,
                &self.ruleset.split,
            )
            .unwrap();
        self.receipt.totals = self.totals.commitment();
    }

    pub fn context(&self) -> attribution_proof::challenge::IndexContext<'_> {
        attribution_proof::challenge::IndexContext {
            model: MODEL,
            job: JOB,
            spec: &self.index.spec,
            rows: Box::leak(Box::new(self.index.tree.commitment())),
        }
    }

    pub fn next(&self) -> (Mark, Receipt) {
        let mark = Mark::after(&self.receipt);
        let mut next = self.receipt.clone();
        next.sequence += 1;
        next.previous = mark.receipt;
        next.cumulative += next.price;
        next.totals = next
            .credit_totals(
                &self.totals,
                &self.owners,
                &self.ruleset.receipt,
                &self.ruleset.split,
            )
            .unwrap()
            .commitment();
        (mark, next)
    }
}

pub fn gradient(values: &[i8]) -> Gradient {
    values.to_vec().try_into().unwrap()
}
