//! Data, models and answers that belong together, as a worker would make them: real openings, scores,
//! covers, totals and signatures.

use crate::{
    mock::*, Channels as _, ContributionView, Data as _, Models as _, SettlementCount, Source,
};
use attribution_proof::{
    bounds::{MAX_CREDITS, MAX_SPAN_LENGTH},
    challenge::{influence_credit, Mark},
    contribution::Snapshot,
    hash::{hash_bytes, Hash, Tag},
    influence::{
        credit_score, row_leaf, IndexSpec, InfluenceMethod, Query, QueryVector, Row, RowOpening,
    },
    licence::Terms,
    merkle::{Commitment, Tree},
    model::{Committed, Inputs, Manifest, ModelKind, Parents, Training, TrainingResult},
    receipt::{
        response_salt, response_tree, Receipt, ResponseChunkOpening, ResponseWindow, Sampling,
        SignedReceipt,
    },
    record::{content_tree, record_commit, record_leaf, ChunkOpening, ChunkWindow, RecordOpening},
    ruleset::Ruleset,
    span::{Occurrence, Span},
    split::{flatten_royalties, Builders},
    totals::{TotalOpening, Totals},
    transcript::{transcript_leaf, StepOpening, TranscriptStep},
    voucher::{SignedVoucher, Voucher},
    AccountId, Balance, BlockNumber, ChannelId, ContributionId, DatanetId, ModelId, SettlementId,
};
use frame_support::assert_ok;
use sp_keyring::Sr25519Keyring;
use std::collections::BTreeMap;

/// Dimension of the test indexes.
const DIMENSION: u32 = 8;

/// `length` bytes that stand nowhere else.
pub(crate) fn text(name: &str, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in 0u32.. {
        if bytes.len() >= length {
            break;
        }
        let seed = [name.as_bytes(), &part.to_le_bytes()].concat();
        bytes.extend(format!("{:x}", hash_bytes(Tag::Chunk, &seed)).bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A contribution with everything its contributor knows.
pub(crate) struct Contributed {
    pub(crate) id: ContributionId,
    pub(crate) view: ContributionView,
    pub(crate) texts: Vec<Vec<u8>>,
    pub(crate) salts: Vec<Hash>,
    tree: Tree,
}

impl Contributed {
    fn new(
        id: ContributionId,
        datanet: DatanetId,
        index: u32,
        records_before: u32,
        contributor: AccountId,
        records: Vec<(Vec<u8>, Hash)>,
    ) -> Self {
        let (texts, salts): (Vec<_>, Vec<_>) = records.into_iter().unzip();
        let leaves = texts
            .iter()
            .zip(&salts)
            .zip(0u32..)
            .map(|((text, salt), record)| {
                let commit = record_commit(salt, &content_tree(text).commitment());
                record_leaf(record, &contributor, &commit, text.len() as u32)
            });
        let tree = Tree::new(leaves.collect());
        let leaves = tree.commitment();
        let view = ContributionView {
            datanet,
            index,
            records_before,
            leaves,
            contributor,
        };
        Contributions::insert(id, &view);
        Self {
            id,
            view,
            texts,
            salts,
            tree,
        }
    }

    pub(crate) fn opening(&self, record: u32) -> RecordOpening {
        let text = &self.texts[record as usize];
        RecordOpening {
            index: record,
            salt: self.salts[record as usize],
            content: content_tree(text).commitment(),
            len: text.len() as u32,
            path: self.tree.path(record).unwrap(),
        }
    }

    pub(crate) fn chunk(&self, record: u32, index: u32) -> ChunkOpening {
        let text = &self.texts[record as usize];
        ChunkOpening {
            index,
            data: text
                .chunks(1_024)
                .nth(index as usize)
                .unwrap()
                .to_vec()
                .try_into()
                .unwrap(),
            path: content_tree(text).path(index).unwrap(),
        }
    }

    pub(crate) fn window(&self, record: u32, offset: u32, length: u32) -> ChunkWindow {
        let (first, last) = (offset / 1_024, (offset + length - 1) / 1_024);
        ChunkWindow {
            first: self.chunk(record, first),
            second: (last > first).then(|| self.chunk(record, last)),
        }
    }
}

/// A model with everything its operator knows.
pub(crate) struct Trained {
    pub(crate) id: ModelId,
    pub(crate) rows: Vec<Row>,
    /// Position of each row's contribution in the world, and the record's index in it.
    pub(crate) records: Vec<(usize, u32)>,
    leaves: Vec<Hash>,
    index: Tree,
    steps: Vec<TranscriptStep>,
    states: Vec<Hash>,
    transcript: Tree,
}

impl Trained {
    pub(crate) fn row(&self, row: u32) -> RowOpening {
        RowOpening {
            row,
            record: self.leaves[row as usize],
            value: self.rows[row as usize].clone(),
            path: self.index.path(row).unwrap(),
        }
    }

    pub(crate) fn step(&self, step: u32) -> StepOpening {
        StepOpening {
            previous: self.states[step as usize - 1],
            previous_path: self.transcript.path(step - 1).unwrap(),
            step: self.steps[step as usize - 1],
            path: self.transcript.path(step).unwrap(),
        }
    }
}

/// An answer with everything its operator and payer know.
#[derive(Clone)]
pub(crate) struct Answered {
    pub(crate) signed: SignedReceipt,
    pub(crate) query: Query,
    pub(crate) response: Vec<u8>,
    pub(crate) owners: Vec<ContributionId>,
    pub(crate) before: Totals,
    secret: Hash,
}

impl Answered {
    pub(crate) fn receipt(&self) -> &Receipt {
        &self.signed.receipt
    }

    pub(crate) fn chunk(&self, index: u32) -> ResponseChunkOpening {
        ResponseChunkOpening {
            index,
            salt: response_salt(&self.secret, index),
            data: self
                .response
                .chunks(1_024)
                .nth(index as usize)
                .unwrap()
                .to_vec()
                .try_into()
                .unwrap(),
            path: response_tree(&self.response, &self.secret)
                .path(index)
                .unwrap(),
        }
    }

    pub(crate) fn window(&self, start: u32, length: u32) -> ResponseWindow {
        let (first, last) = (start / 1_024, (start + length - 1) / 1_024);
        ResponseWindow {
            first: self.chunk(first),
            second: (last > first).then(|| self.chunk(last)),
        }
    }
}

/// The owner of the base.
pub(crate) fn base_builder() -> AccountId {
    Sr25519Keyring::Ferdie.to_account_id()
}

/// The owner of the adapter.
pub(crate) fn adapter_builder() -> AccountId {
    Sr25519Keyring::One.to_account_id()
}

/// A contributor whose account does not exist.
pub(crate) const GONE: AccountId = AccountId::new([77; 32]);

/// The base model: four rows of two contributions.
pub(crate) const BASE: ModelId = 1;
/// An adapter over it: three rows of two contributions.
pub(crate) const ADAPTER: ModelId = 2;
/// A base whose inputs forbid commercial use.
pub(crate) const FORBIDDEN: ModelId = 3;
/// A base that was brought from outside: no training, no index.
pub(crate) const OUTSIDE: ModelId = 4;
/// The base's price floor per token.
pub(crate) const PRICE_FLOOR: Balance = 10;

/// The block in which the training jobs were taken.
pub(crate) const TAKEN_AT: BlockNumber = 1;

/// Everything that exists before the first answer.
pub(crate) struct World {
    pub(crate) contributions: Vec<Contributed>,
    pub(crate) models: Vec<Trained>,
}

fn own(scale: u16, g: [i8; DIMENSION as usize]) -> Row {
    Row::Own {
        scale,
        g: g.to_vec().try_into().unwrap(),
    }
}

impl World {
    /// Contributions 1 and 2 in Datanet 1, 3 and 4 in Datanet 2; record 1 of contribution 3 was
    /// tombstoned before training, record 1 of contribution 2 is private.
    pub(crate) fn new() -> Self {
        let public = Hash::zero();
        let charlie = Sr25519Keyring::Charlie.to_account_id();
        let dave = Sr25519Keyring::Dave.to_account_id();
        let eve = Sr25519Keyring::Eve.to_account_id();
        let contributions = vec![
            Contributed::new(
                1,
                1,
                0,
                0,
                charlie,
                vec![
                    (text("first", 1_100), public),
                    (text("second", 300), public),
                ],
            ),
            Contributed::new(
                2,
                1,
                1,
                2,
                dave,
                vec![
                    // Also holds a piece of the first record: the earlier occurrence earns.
                    ([text("third", 200), text("first", 64)].concat(), public),
                    (text("private", 300), Hash::repeat_byte(9)),
                ],
            ),
            Contributed::new(
                3,
                2,
                0,
                0,
                GONE,
                vec![(text("fifth", 300), public), (text("sixth", 300), public)],
            ),
            Contributed::new(4, 2, 1, 2, eve, vec![(text("seventh", 300), public)]),
        ];
        Tombstones::insert((3, Some(1)), TAKEN_AT);

        let mut world = Self {
            contributions,
            models: Vec::new(),
        };
        let base_rows = vec![
            own(1, [100, 0, 0, 0, 0, 0, 0, 0]),
            own(1, [0, 100, 0, 0, 0, 0, 0, 0]),
            own(1, [50, 50, 0, 0, 0, 0, 0, 0]),
            Row::DuplicateOf(1),
        ];
        let adapter_rows = vec![
            own(2, [40, 0, 0, 0, 0, 0, 0, 0]),
            Row::Absent,
            own(1, [-50, 0, 0, 0, 0, 0, 0, 0]),
        ];
        let base_owner = base_builder();
        let alone = flatten_royalties(&base_owner, &[]).unwrap();
        let adapter_owner = adapter_builder();
        let shared = flatten_royalties(&adapter_owner, &[(100_000_000, &alone)]).unwrap();
        world.train(
            BASE,
            ModelKind::Base,
            1,
            base_rows.clone(),
            &base_owner,
            alone.clone(),
        );
        let kind = ModelKind::Adapter { base: BASE };
        world.train(ADAPTER, kind, 2, adapter_rows, &adapter_owner, shared);
        world.train(
            FORBIDDEN,
            ModelKind::Base,
            1,
            base_rows,
            &base_owner,
            alone.clone(),
        );
        Manifests::mutate(FORBIDDEN, |entry| {
            entry.as_mut().unwrap().0.terms.commercial = false;
        });
        let outside = Manifest {
            training: None,
            ..Stored::manifest(BASE).unwrap()
        };
        Manifests::insert(OUTSIDE, (outside, alone));
        world
    }

    fn train(
        &mut self,
        id: ModelId,
        kind: ModelKind,
        datanet: DatanetId,
        rows: Vec<Row>,
        owner: &AccountId,
        builders: Builders,
    ) {
        let job = id + 10;
        let inputs: Vec<(usize, &Contributed)> = self
            .contributions
            .iter()
            .enumerate()
            .filter(|(_, contributed)| contributed.view.datanet == datanet)
            .collect();
        let records: Vec<(usize, u32)> = inputs
            .iter()
            .flat_map(|(at, contributed)| {
                (0..contributed.texts.len() as u32).map(move |record| (*at, record))
            })
            .collect();
        assert_eq!(records.len(), rows.len());
        let leaves: Vec<Hash> = records
            .iter()
            .map(|(at, record)| {
                let contributed = &self.contributions[*at];
                contributed
                    .opening(*record)
                    .leaf(&contributed.view.contributor)
            })
            .collect();
        let index = Tree::new(
            rows.iter()
                .zip(&leaves)
                .zip(0u32..)
                .map(|((value, leaf), row)| row_leaf(job, row, leaf, value))
                .collect(),
        );
        let steps: Vec<TranscriptStep> = (1..=3)
            .map(|step| TranscriptStep {
                step,
                batch: Hash::repeat_byte(step as u8),
                weights: Hash::repeat_byte(10 + step as u8),
                optimizer: Hash::repeat_byte(20 + step as u8),
                loss_bits: 1.5f32.to_bits(),
            })
            .collect();
        let mut states = vec![Hash::repeat_byte(id as u8)];
        for step in &steps {
            states.push(step.state(states.last().unwrap()));
        }
        let transcript = Tree::new(
            states
                .iter()
                .zip(0u32..)
                .map(|(state, step)| transcript_leaf(step, state))
                .collect(),
        );
        let committed = |tree: &Tree| Committed {
            commitment: tree.commitment(),
            content: [1; 32],
        };
        let spec = IndexSpec {
            version: 1,
            dimension: DIMENSION,
            scale_cap: 100,
            norm_minimum: 1,
            norm_maximum: 100_000,
            method: InfluenceMethod::DampedGaussNewton,
            projection_seed: Hash::repeat_byte(3),
            preconditioner: Hash::repeat_byte(4),
        };
        let snapshot = Snapshot {
            datanet,
            length: inputs.len() as u32,
            head: Hash::repeat_byte(datanet as u8),
            records: rows.len() as u32,
        };
        let manifest = Manifest {
            owner: owner.clone(),
            kind,
            version: 1,
            previous: None,
            artifact: [id as u8; 32],
            architecture: Hash::repeat_byte(5),
            tokenizer: Hash::repeat_byte(6),
            parents: Parents::default(),
            royalty: 0,
            terms: Terms::FREE,
            price: 2 * PRICE_FLOOR,
            price_floor: PRICE_FLOOR,
            ruleset: 0,
            training: Some(Training {
                job,
                inputs: Inputs::try_from(vec![snapshot]).unwrap(),
                taken_at: TAKEN_AT,
                operator: operator(),
                result: TrainingResult {
                    artifact: [id as u8; 32],
                    architecture: Hash::repeat_byte(5),
                    tokenizer: Hash::repeat_byte(6),
                    transcript: committed(&transcript),
                    index: committed(&index),
                    spec,
                    loss_before: 2_000_000,
                    loss_after: 1_000_000,
                },
            }),
        };
        Manifests::insert(id, (manifest, builders));
        self.models.push(Trained {
            id,
            rows,
            records,
            leaves,
            index,
            steps,
            states,
            transcript,
        });
    }

    pub(crate) fn model(&self, id: ModelId) -> &Trained {
        self.models.iter().find(|model| model.id == id).unwrap()
    }

    /// The contribution with this number.
    pub(crate) fn contribution(&self, id: ContributionId) -> &Contributed {
        self.contributions
            .iter()
            .find(|contributed| contributed.id == id)
            .unwrap()
    }

    /// The trained models that `model` serves, ascending.
    fn lineage(&self, model: ModelId) -> Vec<&Trained> {
        let mut lineage: Vec<&Trained> = Stored::lineage(model)
            .into_iter()
            .filter_map(|id| self.models.iter().find(|model| model.id == id))
            .collect();
        lineage.sort_by_key(|model| model.id);
        lineage
    }

    /// The contribution that owns a row; the first one where there is no such row.
    fn owner(&self, model: ModelId, row: u32) -> ContributionId {
        self.models
            .iter()
            .find(|trained| trained.id == model)
            .and_then(|trained| trained.records.get(row as usize))
            .map_or(1, |(at, _)| self.contributions[*at].id)
    }

    /// Query vectors under which, in order, adapter row 0 and base rows 0, 2 and 1 are eligible.
    fn query(&self, model: ModelId) -> Query {
        let vectors: Vec<(ModelId, QueryVector)> = self
            .lineage(model)
            .iter()
            .map(|trained| {
                let vector: [i16; DIMENSION as usize] = match trained.id {
                    ADAPTER => [4_000, 1_000, 500, 0, 0, 0, 0, 0],
                    _ => [3_000, 2_000, 500, 0, 0, 0, 0, 0],
                };
                (trained.id, vector.to_vec().try_into().unwrap())
            })
            .collect();
        Query {
            vectors: vectors.try_into().unwrap(),
        }
    }

    fn credits(
        &self,
        model: ModelId,
        query: &Query,
        ruleset: &Ruleset,
    ) -> Vec<attribution_proof::receipt::Credit> {
        let mut credits = Vec::new();
        for trained in self.lineage(model) {
            let vector = query.vector(trained.id).unwrap();
            for (row, at) in trained.rows.iter().zip(0u32..) {
                if let Some(score) = credit_score(vector, row, ruleset.receipt.floor()) {
                    credits.push(influence_credit(trained.id, at, score));
                }
            }
        }
        credits.sort_by_key(|credit| credit.order());
        credits.truncate(ruleset.receipt.top_k.min(MAX_CREDITS) as usize);
        credits
    }

    /// Leftmost-longest cover, the obvious way: every place where the next few bytes stand is tried.
    fn spans(&self, model: ModelId, response: &[u8], ruleset: &Ruleset) -> Vec<Span> {
        let minimum = ruleset.receipt.minimum_span as usize;
        let mut places: BTreeMap<&[u8], Vec<(Occurrence, &[u8])>> = BTreeMap::new();
        for trained in self.lineage(model) {
            for ((at, record), row) in trained.records.iter().zip(0u32..) {
                let contributed = &self.contributions[*at];
                let absent = Stored::tombstoned_at(contributed.id, *record)
                    .is_some_and(|block| block <= TAKEN_AT);
                if absent || !contributed.salts[*record as usize].is_zero() {
                    continue;
                }
                let bytes = &contributed.texts[*record as usize];
                for (key, offset) in bytes.windows(minimum).zip(0u32..) {
                    let place = Occurrence {
                        model: trained.id,
                        row,
                        offset,
                    };
                    places
                        .entry(key)
                        .or_default()
                        .push((place, &bytes[offset as usize..]));
                }
            }
        }
        let mut spans = Vec::new();
        let mut start = 0;
        while start + minimum <= response.len() {
            let mut best: Option<(u32, Occurrence)> = None;
            for (place, bytes) in places
                .get(&response[start..start + minimum])
                .into_iter()
                .flatten()
            {
                let length = response[start..]
                    .iter()
                    .zip(*bytes)
                    .take_while(|(said, stands)| said == stands)
                    .count()
                    .min(MAX_SPAN_LENGTH as usize) as u32;
                if best.is_none_or(|(longest, _)| length > longest) {
                    best = Some((length, *place));
                }
            }
            match best {
                Some((length, at)) => {
                    spans.push(Span {
                        start: start as u32,
                        length,
                        at,
                    });
                    start += length as usize;
                }
                None => start += 1,
            }
        }
        spans
    }
}

/// The operator's book of one channel.
pub(crate) struct Session {
    pub(crate) channel: ChannelId,
    pub(crate) ruleset: Ruleset,
    mark: Mark,
    totals: Totals,
    /// Answers since the settled mark.
    pub(crate) answers: Vec<Answered>,
}

impl Session {
    /// Opens channel `channel` under the current ruleset.
    pub(crate) fn open(channel: ChannelId) -> Self {
        let (id, ruleset) = Attribution::current_ruleset();
        open_channel(channel, 100 * UNIT, id);
        Self {
            channel,
            ruleset,
            mark: Mark::default(),
            totals: Totals::default(),
            answers: Vec::new(),
        }
    }

    /// Serves an honest answer.
    pub(crate) fn serve(
        &mut self,
        world: &World,
        model: ModelId,
        price: Balance,
        response: Vec<u8>,
    ) {
        self.serve_forged(world, model, price, response, |_| {}, |_| {});
    }

    /// Serves an answer whose receipt `content` changes before its totals are computed and `end`
    /// changes before it is signed.
    pub(crate) fn serve_forged(
        &mut self,
        world: &World,
        model: ModelId,
        price: Balance,
        response: Vec<u8>,
        content: impl FnOnce(&mut Receipt),
        end: impl FnOnce(&mut Receipt),
    ) {
        let query = world.query(model);
        let secret = hash_bytes(Tag::ResponseSalt, &self.mark.sequence.to_le_bytes());
        let mut receipt = Receipt {
            genesis: Attribution::genesis(),
            channel: self.channel,
            sequence: self.mark.sequence + 1,
            previous: self.mark.receipt,
            ruleset: StoredChannels::get(self.channel).unwrap().ruleset,
            model,
            version: 1,
            request: Hash::repeat_byte(1),
            response: response_tree(&response, &secret).commitment(),
            response_length: response.len() as u32,
            sampling: Sampling {
                temperature_milli: 700,
                top_p_millionths: 900_000,
                top_k: 40,
                maximum_tokens: 256,
                seed: 7,
            },
            tokens_in: 5,
            tokens_out: 10,
            price,
            cumulative: self.mark.cumulative + price,
            query: query.commit(),
            audit: [2; 32],
            credits: world
                .credits(model, &query, &self.ruleset)
                .try_into()
                .unwrap(),
            spans: world
                .spans(model, &response, &self.ruleset)
                .try_into()
                .unwrap(),
            totals: Commitment::default(),
        };
        content(&mut receipt);
        let owners: Vec<ContributionId> = receipt
            .data()
            .map(|(model, row)| world.owner(model, row))
            .collect();
        let before = self.totals.clone();
        let after = receipt
            .credit_totals(&before, &owners, &self.ruleset.receipt, &self.ruleset.split)
            .expect("the map has room");
        receipt.totals = after.commitment();
        end(&mut receipt);
        self.mark = Mark::after(&receipt);
        self.totals = after;
        let signed = signed(receipt);
        self.answers.push(Answered {
            signed,
            query,
            response,
            owners,
            before,
            secret,
        });
    }

    /// The last answer.
    pub(crate) fn last(&self) -> &Answered {
        self.answers.last().unwrap()
    }

    /// The payer's voucher for everything so far.
    pub(crate) fn voucher(&self) -> SignedVoucher {
        let voucher = Voucher {
            genesis: Attribution::genesis(),
            channel: self.channel,
            sequence: self.mark.sequence,
            cumulative: self.mark.cumulative,
            receipt: self.mark.receipt,
        };
        SignedVoucher {
            voucher,
            signature: sign(Sr25519Keyring::Bob, &voucher.payload()),
        }
    }

    /// Settles everything so far.
    pub(crate) fn settle(&mut self) -> Settled {
        assert_ok!(Attribution::settle(
            RuntimeOrigin::signed(operator()),
            self.voucher(),
            Box::new(self.last().signed.clone()),
        ));
        Settled {
            id: SettlementCount::<Test>::get(),
            answers: std::mem::take(&mut self.answers),
            totals: std::mem::take(&mut self.totals),
        }
    }
}

/// A settlement with what its operator knows.
pub(crate) struct Settled {
    pub(crate) id: SettlementId,
    pub(crate) answers: Vec<Answered>,
    pub(crate) totals: Totals,
}

impl Settled {
    /// The opening of one entry of the totals.
    pub(crate) fn entry(&self, index: u32) -> TotalOpening {
        TotalOpening {
            index,
            total: self.totals.entries[index as usize],
            path: self.totals.tree().path(index).unwrap(),
        }
    }

    /// The openings of all entries.
    pub(crate) fn entries(&self) -> Vec<TotalOpening> {
        (0..self.totals.entries.len() as u32)
            .map(|index| self.entry(index))
            .collect()
    }

    /// Lets the window pass and finalises.
    pub(crate) fn finalise(&self) {
        System::set_block_number(Attribution::settlement(self.id).unwrap().window_end + 1);
        assert_ok!(Attribution::finalise(
            RuntimeOrigin::signed(challenger()),
            self.id
        ));
    }

    /// Pays all entries, page by page.
    pub(crate) fn pay(&self) {
        for page in self.entries().chunks(crate::MAX_PAGE as usize) {
            assert_ok!(Attribution::pay(
                RuntimeOrigin::signed(challenger()),
                self.id,
                page.to_vec().try_into().unwrap(),
            ));
        }
    }
}

/// Signs a receipt as the operator.
pub(crate) fn signed(receipt: Receipt) -> SignedReceipt {
    let signature = sign(Sr25519Keyring::Alice, receipt.commit().as_bytes());
    SignedReceipt { receipt, signature }
}

/// A response with a piece of record 0 of contribution 1, across its chunks' boundary, one of record 0
/// of contribution 3, and bytes that stand nowhere.
pub(crate) fn response() -> Vec<u8> {
    let first = text("first", 1_100);
    let fifth = text("fifth", 300);
    [
        &text("new", 40)[..],
        &first[1_000..1_060],
        b"...",
        &fifth[20..60],
        b"!",
    ]
    .concat()
}

/// What `who` can claim of one source.
pub(crate) fn accrued(
    who: &AccountId,
    settlement: SettlementId,
    model: Option<ModelId>,
) -> Balance {
    crate::Accruals::<Test>::get(who, Source { settlement, model })
}

/// Three honest answers by adapter and base, settled.
pub(crate) fn settled(world: &World) -> Settled {
    let mut session = Session::open(1);
    session.serve(world, ADAPTER, UNIT + 1, response());
    session.serve(world, BASE, UNIT + 333, response());
    session.serve(world, ADAPTER, 2 * UNIT + 7, text("nothing", 50));
    session.settle()
}

/// The voucher's channel, claimed directly, for tests about what `settle` leaves to channels.
pub(crate) fn claim_directly(session: &Session, to: &AccountId) {
    Stored::claim(&operator(), &session.voucher(), to).unwrap();
}
