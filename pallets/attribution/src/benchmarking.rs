//! Benchmarks of every call at its worst: the largest objects that the formats allow, paths of full
//! length, proofs that hold and so void a settlement with as many open demands as it may have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use crate::{
    pallet::{
        Accruals, Call, Config, CurrentRuleset, DemandCount, Demands, FullSince, HoldReason,
        Owners, Page, Pallet, RulesetOf, SettlementCount, Settlements, MAX_CLAIMS,
        MAX_OPEN_DEMANDS, MAX_PAGE,
    },
    types::{
        empty_bitmap, Answer, BenchmarkHelper, ContributionView, Demand, DemandRequest, Demanded,
        Settlement, SettlementState, Source,
    },
};
use alloc::{boxed::Box, vec, vec::Vec};
use attribution_proof::{
    bounds::{
        CHUNK_BYTES, MAX_BUILDERS, MAX_CREDITS, MAX_DIMENSION, MAX_LINEAGE, MAX_PATH, MAX_SPANS,
        MAX_SPAN_LENGTH, MAX_TOTALS,
    },
    challenge::{influence_credit, Mark},
    contribution::Snapshot,
    hash::{hash_bytes, Hash, Tag},
    influence::{row_leaf, IndexSpec, InfluenceMethod, Query, Row, RowOpening},
    licence::Terms,
    merkle::{Commitment, Path},
    model::{Committed, Inputs, Manifest, ModelKind, Parents, Training, TrainingResult},
    receipt::{
        response_chunk_leaf, Receipt, ResponseChunkOpening, ResponseWindow, Sampling, SignedReceipt,
    },
    record::{chunk_leaf, ChunkOpening, ChunkWindow, RecordOpening},
    ruleset::{Ruleset, MAX_WINDOW},
    span::{Occurrence, Span},
    split::{Builders, Parts, BILLION},
    totals::{Payee, Total, TotalOpening, Totals},
    voucher::{SignedVoucher, Voucher},
    AccountId, Balance, ChannelId, ContributionId, ModelId, RulesetId, SettlementId,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{
    fungible::{Inspect, Mutate, MutateHold},
    EnsureOrigin, Get,
};
use frame_system::RawOrigin;

/// Number of the benchmarks' ruleset.
const RULESET: RulesetId = 1;
/// Number of leaves that makes paths of full length.
const MANY: u32 = u32::MAX;
/// Bytes of a record and a response that fill two chunks.
const TWO_CHUNKS: u32 = 2 * CHUNK_BYTES;

type Helper<T> = <T as Config>::BenchmarkHelper;

/// Base units of a settlement: a hundred existential deposits for each share, and more.
fn amount<T: Config>() -> Balance {
    T::Currency::minimum_balance()
        .saturating_mul(100_000)
        .max(1_000_000_000)
}

fn fund<T: Config>(who: &AccountId, money: Balance) {
    T::Currency::mint_into(who, money).expect("the sum fits");
}

fn account_with<T: Config>(name: &'static str, index: u32, money: Balance) -> AccountId {
    let who: AccountId = account(name, index, 0);
    fund::<T>(&who, money);
    who
}

/// The initial ruleset, with the largest receipts that the formats allow.
fn install_ruleset<T: Config>() -> Ruleset {
    let mut ruleset = T::InitialRuleset::get();
    ruleset.receipt.top_k = MAX_CREDITS;
    ruleset.receipt.minimum_span = 8;
    ruleset.receipt.floor_numerator = 0;
    ruleset.settlement.settlement_window = MAX_WINDOW;
    RulesetOf::<T>::insert(RULESET, ruleset);
    CurrentRuleset::<T>::put(RULESET);
    ruleset
}

/// A commitment of full size to `first` and `second` as leaves 0 and 1, and their paths.
fn deep(first: Hash, second: Hash) -> (Commitment, Path, Path) {
    let join = |left: &Hash, right: &Hash| {
        hash_bytes(Tag::Node, &[left.as_bytes(), right.as_bytes()].concat())
    };
    let others: Vec<Hash> = (1..MAX_PATH as u8).map(Hash::repeat_byte).collect();
    let root = others
        .iter()
        .fold(join(&first, &second), |node, sibling| join(&node, sibling));
    let path = |sibling: Hash| {
        Path::try_from([vec![sibling], others.clone()].concat()).expect("it has full length")
    };
    (Commitment { root, count: MANY }, path(second), path(first))
}

/// A row of full dimension.
fn wide_row() -> Row {
    Row::Own {
        scale: 1,
        g: vec![1; MAX_DIMENSION as usize].try_into().unwrap(),
    }
}

/// The opening of row 0 of the index of `job`, and the index.
fn wide_index(job: u32) -> (RowOpening, Commitment) {
    let record = Hash::repeat_byte(1);
    let value = wide_row();
    let leaf = row_leaf(job, 0, &record, &value);
    let (commitment, path, _) = deep(leaf, Hash::repeat_byte(2));
    (
        RowOpening {
            row: 0,
            record,
            value,
            path,
        },
        commitment,
    )
}

const JOB: u32 = 1;

/// A base model over `inputs` with the index of [`wide_index`] or another of `rows`.
fn manifest(owner: &AccountId, inputs: Snapshot, index: Commitment) -> Manifest {
    let committed = |commitment| Committed {
        commitment,
        content: [1; 32],
    };
    Manifest {
        owner: owner.clone(),
        kind: ModelKind::Base,
        version: 1,
        previous: None,
        artifact: [1; 32],
        architecture: Hash::repeat_byte(1),
        tokenizer: Hash::repeat_byte(1),
        parents: Parents::default(),
        royalty: 0,
        terms: Terms::FREE,
        price: 0,
        price_floor: 0,
        ruleset: RULESET,
        training: Some(Training {
            job: JOB,
            inputs: Inputs::try_from(vec![inputs]).unwrap(),
            taken_at: 1,
            operator: owner.clone(),
            result: TrainingResult {
                artifact: [1; 32],
                architecture: Hash::repeat_byte(1),
                tokenizer: Hash::repeat_byte(1),
                transcript: committed(Commitment {
                    root: Hash::repeat_byte(1),
                    count: MANY,
                }),
                index: committed(index),
                spec: IndexSpec {
                    version: 1,
                    dimension: MAX_DIMENSION,
                    scale_cap: 1,
                    norm_minimum: 1,
                    norm_maximum: u64::MAX,
                    method: InfluenceMethod::DampedGaussNewton,
                    projection_seed: Hash::repeat_byte(1),
                    preconditioner: Hash::repeat_byte(1),
                },
                loss_before: 2,
                loss_after: 1,
            },
        }),
    }
}

fn builders(count: u32) -> Builders {
    let parts: Parts = BILLION / count;
    let shares: Vec<(AccountId, Parts)> = (0..count)
        .map(|index| (account("builder", index, 0), parts))
        .collect();
    shares.try_into().unwrap()
}

fn snapshot(length: u32, records: u32) -> Snapshot {
    Snapshot {
        datanet: 1,
        length,
        head: Hash::repeat_byte(1),
        records,
    }
}

/// A model whose row 0 is [`wide_index`]'s.
fn wide_model<T: Config>() -> (ModelId, RowOpening) {
    let (opening, index) = wide_index(JOB);
    let manifest = manifest(&Helper::<T>::signer(), snapshot(1, MANY), index);
    (Helper::<T>::insert_model(manifest, builders(1)), opening)
}

/// A query of the greatest size, with a vector for `model`.
fn wide_query(model: ModelId) -> Query {
    let vectors: Vec<_> = (model..model + MAX_LINEAGE)
        .map(|id| (id, vec![1i16; MAX_DIMENSION as usize].try_into().unwrap()))
        .collect();
    Query {
        vectors: vectors.try_into().unwrap(),
    }
}

/// A receipt of the greatest size: all credits and spans name rows of `model`, each its own.
fn receipt<T: Config>(channel: ChannelId, sequence: u64, model: ModelId, query: Hash) -> Receipt {
    let credits: Vec<_> = (0..MAX_CREDITS)
        .map(|row| influence_credit(model, row, i64::from(MAX_CREDITS - row)))
        .collect();
    let spans: Vec<_> = (0..MAX_SPANS)
        .map(|at| Span {
            start: 8 * at,
            length: 8,
            at: Occurrence {
                model,
                row: MAX_CREDITS + at,
                offset: 0,
            },
        })
        .collect();
    Receipt {
        genesis: Pallet::<T>::genesis(),
        channel,
        sequence,
        previous: Hash::zero(),
        ruleset: RULESET,
        model,
        version: 1,
        request: Hash::repeat_byte(1),
        response: Commitment {
            root: Hash::repeat_byte(1),
            count: 2,
        },
        response_length: TWO_CHUNKS,
        sampling: Sampling {
            temperature_milli: 0,
            top_p_millionths: 0,
            top_k: 0,
            maximum_tokens: 1,
            seed: 0,
        },
        tokens_in: 1,
        tokens_out: 1,
        price: amount::<T>(),
        cumulative: amount::<T>(),
        query,
        audit: [1; 32],
        credits: credits.try_into().unwrap(),
        spans: spans.try_into().unwrap(),
        totals: Commitment {
            root: Hash::repeat_byte(1),
            count: MAX_TOTALS,
        },
    }
}

fn signed<T: Config>(receipt: Receipt) -> Box<SignedReceipt> {
    let signature = Helper::<T>::sign(receipt.commit().as_bytes());
    Box::new(SignedReceipt { receipt, signature })
}

/// Stores a settlement of channel 1 from receipt 0 to 10, with `demands` open demands and the money in
/// the pot.
fn settlement<T: Config>(state: SettlementState, totals: Commitment, demands: u32) -> SettlementId {
    // Calls run in block 1 at the earliest, whatever block they were prepared in.
    frame_system::Pallet::<T>::set_block_number(1u32.into());
    let ruleset = install_ruleset::<T>();
    let operator = Helper::<T>::signer();
    Helper::<T>::bond_operator(&operator, ruleset.compute.operator_bond);
    let pot = Pallet::<T>::pot_account();
    fund::<T>(&pot, T::Currency::minimum_balance() + amount::<T>());
    fund::<T>(&T::Treasury::get(), T::Currency::minimum_balance());
    fund::<T>(&T::StakersPot::get(), T::Currency::minimum_balance());

    let id = 1;
    let bond = ruleset.settlement.demand_bond;
    for number in 0..demands {
        let money = bond + T::Currency::minimum_balance();
        let demander = account_with::<T>("demander", number, money);
        T::Currency::hold(&HoldReason::DemandBond.into(), &demander, bond).expect("it is funded");
        let object = Demanded::Row {
            model: 1,
            row: number,
        };
        let deadline = Pallet::<T>::now() + 1;
        Demands::<T>::insert(
            id,
            u64::from(number) + 1,
            Demand {
                demander,
                object,
                bond,
                deadline,
            },
        );
    }
    DemandCount::<T>::put(u64::from(demands));
    SettlementCount::<T>::put(id);
    let to = Mark {
        sequence: 10,
        cumulative: amount::<T>(),
        receipt: Hash::repeat_byte(1),
    };
    let now = Pallet::<T>::now();
    let stored = Settlement {
        channel: 1,
        payer: account("payer", 0, 0),
        operator,
        ruleset: RULESET,
        from: Mark::default(),
        to,
        split: ruleset.split.split(0, amount::<T>()),
        totals,
        opened_at: now,
        demands_until: now,
        window_end: now,
        state,
        paid: empty_bitmap(totals.count),
        paid_count: 0,
        paid_sum: 0,
        open_demands: demands,
    };
    Settlements::<T>::insert(id, stored);
    if demands == MAX_OPEN_DEMANDS {
        FullSince::<T>::insert(id, now);
    }
    id
}

/// A pending settlement with all demands that it may have.
fn pending<T: Config>() -> SettlementId {
    let totals = Commitment {
        root: Hash::repeat_byte(1),
        count: MAX_TOTALS,
    };
    settlement::<T>(SettlementState::Pending, totals, MAX_OPEN_DEMANDS)
}

fn challenger<T: Config>() -> AccountId {
    let who: AccountId = whitelisted_caller();
    let bond = T::InitialRuleset::get().settlement.challenge_bond;
    fund::<T>(&who, bond + T::Currency::minimum_balance() * 10);
    who
}

/// A contribution of one record that starts with the response's bytes, both two full chunks, and the
/// model that it trained.
struct Copied {
    model: ModelId,
    contribution: ContributionId,
    record: RecordOpening,
    window: ChunkWindow,
    response: Commitment,
    said: ResponseWindow,
}

fn copied<T: Config>(said: u8) -> Copied {
    let stands = vec![b'a'; CHUNK_BYTES as usize];
    let bytes = vec![said; CHUNK_BYTES as usize];
    let (content, first, second) = deep(chunk_leaf(0, &stands), chunk_leaf(1, &stands));
    let chunk = |index, path| ChunkOpening {
        index,
        data: stands.clone().try_into().unwrap(),
        path,
    };
    let window = ChunkWindow {
        first: chunk(0, first),
        second: Some(chunk(1, second)),
    };

    let salt = Hash::zero();
    let leaf = |index| response_chunk_leaf(index, &salt, &bytes);
    let (response, first, second) = deep(leaf(0), leaf(1));
    let chunk = |index, path| ResponseChunkOpening {
        index,
        salt,
        data: bytes.clone().try_into().unwrap(),
        path,
    };
    let said = ResponseWindow {
        first: chunk(0, first),
        second: Some(chunk(1, second)),
    };

    let contributor: AccountId = account("contributor", 0, 0);
    let mut record = RecordOpening {
        index: 0,
        salt,
        content,
        len: TWO_CHUNKS,
        path: Path::new(),
    };
    let (leaves, path, _) = deep(record.leaf(&contributor), Hash::repeat_byte(2));
    record.path = path;
    let contribution = Helper::<T>::insert_contribution(ContributionView {
        datanet: 1,
        index: 0,
        records_before: 0,
        leaves,
        contributor,
    });
    let (_, index) = wide_index(JOB);
    let manifest = manifest(&Helper::<T>::signer(), snapshot(1, MANY), index);
    let model = Helper::<T>::insert_model(manifest, builders(1));
    Copied {
        model,
        contribution,
        record,
        window,
        response,
        said,
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn add_ruleset() -> Result<(), BenchmarkError> {
        let origin = T::RulesetOrigin::try_successful_origin()
            .map_err(|_| BenchmarkError::Stop("no origin may add a ruleset"))?;
        let ruleset = Box::new(T::InitialRuleset::get());
        let before = CurrentRuleset::<T>::get();
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, ruleset);
        assert_eq!(CurrentRuleset::<T>::get(), before + 1);
        Ok(())
    }

    #[benchmark]
    fn settle() {
        let ruleset = install_ruleset::<T>();
        let operator = Helper::<T>::signer();
        Helper::<T>::bond_operator(&operator, ruleset.compute.operator_bond);
        fund::<T>(&Pallet::<T>::pot_account(), T::Currency::minimum_balance());
        let payer = account_with::<T>("payer", 0, 10 * amount::<T>());
        let channel = Helper::<T>::open_channel(&payer, &operator, 2 * amount::<T>());
        let receipt = signed::<T>(receipt::<T>(channel, 1, 1, Hash::zero()));
        let voucher = Voucher {
            genesis: Pallet::<T>::genesis(),
            channel,
            sequence: 1,
            cumulative: amount::<T>(),
            receipt: receipt.receipt.commit(),
        };
        // Wrapped, as wallets sign: the signature is checked twice.
        let wrapped = [b"<Bytes>".as_slice(), &voucher.payload(), b"</Bytes>"].concat();
        let voucher = SignedVoucher {
            voucher,
            signature: Helper::<T>::sign(&wrapped),
        };
        #[extrinsic_call]
        _(RawOrigin::Signed(operator), voucher, receipt);
        assert_eq!(SettlementCount::<T>::get(), 1);
    }

    #[benchmark]
    fn finalise() {
        // Without entries it is closed at once, which is one more transfer.
        let id = settlement::<T>(SettlementState::Pending, Commitment::default(), 0);
        Settlements::<T>::mutate(id, |stored| stored.as_mut().unwrap().window_end = 0);
        let caller: AccountId = whitelisted_caller();
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id);
        assert!(!Settlements::<T>::contains_key(id));
    }

    #[benchmark]
    fn pay(n: Linear<1, MAX_PAGE>) {
        install_ruleset::<T>();
        let owner = Helper::<T>::signer();
        let models: Vec<ModelId> = (0..n)
            .map(|_| {
                let manifest = manifest(&owner, snapshot(1, 1), Commitment::default());
                Helper::<T>::insert_model(manifest, builders(MAX_BUILDERS))
            })
            .collect();
        let last = *models.last().unwrap();
        let share = amount::<T>() / 10_000;
        let built = models.iter().map(|model| (*model, Payee::Builder));
        let others = (1..=u64::from(MAX_TOTALS - n)).map(|id| (last, Payee::Contribution(id)));
        let entries: Vec<Total> = built
            .chain(others)
            .map(|(model, payee)| Total {
                model,
                payee,
                amount: share,
            })
            .collect();
        let totals = Totals {
            entries: entries.try_into().unwrap(),
        };
        let id = settlement::<T>(SettlementState::Final { at: 0 }, totals.commitment(), 0);
        let tree = totals.tree();
        let openings: Vec<TotalOpening> = (0..n)
            .map(|index| TotalOpening {
                index,
                total: totals.entries[index as usize],
                path: tree.path(index).unwrap(),
            })
            .collect();
        let caller: AccountId = whitelisted_caller();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            id,
            Page::try_from(openings).unwrap(),
        );
        assert_eq!(Settlements::<T>::get(id).unwrap().paid_count, n);
    }

    #[benchmark]
    fn sweep() {
        let totals = Commitment {
            root: Hash::zero(),
            count: MAX_TOTALS,
        };
        let id = settlement::<T>(SettlementState::Final { at: 0 }, totals, 0);
        let later = T::PayoutPeriod::get() + 2;
        frame_system::Pallet::<T>::set_block_number(later.into());
        let caller: AccountId = whitelisted_caller();
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id);
        assert!(!Settlements::<T>::contains_key(id));
    }

    /// Accruals of `who` from `n` settlements, and the money for them.
    fn accrue<T: Config>(who: &AccountId, n: u32) {
        let each = T::Currency::minimum_balance();
        let pot = Pallet::<T>::pot_account();
        fund::<T>(&pot, each * Balance::from(n + 1));
        for settlement in 1..=u64::from(n) {
            Accruals::<T>::insert(
                who,
                Source {
                    settlement,
                    model: Some(1),
                },
                each,
            );
        }
    }

    #[benchmark]
    fn claim(n: Linear<1, MAX_CLAIMS>) {
        let caller: AccountId = whitelisted_caller();
        accrue::<T>(&caller, n);
        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()), n);
        assert_eq!(Accruals::<T>::iter_prefix(&caller).count(), 0);
    }

    #[benchmark]
    fn claim_for(n: Linear<1, MAX_CLAIMS>) {
        let caller: AccountId = whitelisted_caller();
        let who: AccountId = account("contributor", 0, 0);
        accrue::<T>(&who, n);
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), who.clone(), n);
        assert_eq!(Accruals::<T>::iter_prefix(&who).count(), 0);
    }

    #[benchmark]
    fn challenge_score() {
        let id = pending::<T>();
        let (model, opening) = wide_model::<T>();
        let query = wide_query(model);
        let receipt = signed::<T>(receipt::<T>(1, 1, model, query.commit()));
        let caller = challenger::<T>();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            id,
            receipt,
            0,
            Box::new(query),
            Box::new(opening),
        );
        assert!(!Settlements::<T>::contains_key(id));
    }

    #[benchmark]
    fn challenge_omission() {
        let id = pending::<T>();
        let (model, opening) = wide_model::<T>();
        let query = wide_query(model);
        let mut lie = receipt::<T>(1, 1, model, query.commit());
        lie.credits.remove(0);
        let receipt = signed::<T>(lie);
        let caller = challenger::<T>();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            id,
            receipt,
            model,
            Box::new(query),
            Box::new(opening),
        );
        assert!(!Settlements::<T>::contains_key(id));
    }

    #[benchmark]
    fn challenge_bytes() {
        let id = pending::<T>();
        let copied = copied::<T>(b'b');
        let mut lie = receipt::<T>(1, 1, copied.model, Hash::zero());
        lie.response = copied.response;
        lie.spans[0].at.row = 0;
        let receipt = signed::<T>(lie);
        let caller = challenger::<T>();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            id,
            receipt,
            0,
            0,
            copied.contribution,
            Box::new(copied.record),
            Box::new(copied.said.first),
            Box::new(copied.window.first),
        );
        assert!(!Settlements::<T>::contains_key(id));
    }

    #[benchmark]
    fn challenge_span() {
        let id = pending::<T>();
        let copied = copied::<T>(b'a');
        let mut lie = receipt::<T>(1, 1, copied.model, Hash::zero());
        lie.response = copied.response;
        let start = CHUNK_BYTES / 2;
        lie.spans = Default::default();
        let receipt = signed::<T>(lie);
        let at = Occurrence {
            model: copied.model,
            row: 0,
            offset: start,
        };
        let caller = challenger::<T>();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            id,
            receipt,
            start,
            MAX_SPAN_LENGTH,
            at,
            copied.contribution,
            Box::new(copied.record),
            Box::new(copied.said),
            Box::new(copied.window),
        );
        assert!(!Settlements::<T>::contains_key(id));
    }

    #[benchmark]
    fn challenge_step() {
        let id = pending::<T>();
        let data = MAX_CREDITS + MAX_SPANS;
        // Each datum has an owner of its own, and the totals before leave just enough room.
        let owners: Vec<ContributionId> = (0..data)
            .map(|index| {
                Helper::<T>::insert_contribution(ContributionView {
                    datanet: 1,
                    index,
                    records_before: index,
                    leaves: Commitment {
                        root: Hash::repeat_byte(1),
                        count: 1,
                    },
                    contributor: account("contributor", index, 0),
                })
            })
            .collect();
        let index = Commitment {
            root: Hash::repeat_byte(1),
            count: data,
        };
        let manifest = manifest(&Helper::<T>::signer(), snapshot(data, data), index);
        let model = Helper::<T>::insert_model(manifest, builders(1));
        let entries: Vec<Total> = (0..u64::from(MAX_TOTALS - data - 1))
            .map(|id| Total {
                model: 0,
                payee: Payee::Contribution(id),
                amount: 1,
            })
            .collect();
        let before = Totals {
            entries: entries.try_into().unwrap(),
        };
        let mut previous = receipt::<T>(1, 1, model, Hash::zero());
        previous.totals = before.commitment();
        let mut next = receipt::<T>(1, 2, model, Hash::zero());
        next.previous = previous.commit();
        next.cumulative += amount::<T>();
        let (previous, next) = (signed::<T>(previous), signed::<T>(next));
        let caller = challenger::<T>();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            id,
            Some(previous),
            next,
            Box::new(before),
            Owners::try_from(owners).unwrap(),
        );
        assert!(!Settlements::<T>::contains_key(id));
    }

    #[benchmark]
    fn challenge_settlement() {
        let id = pending::<T>();
        let receipt = signed::<T>(receipt::<T>(1, 10, 1, Hash::zero()));
        let caller = challenger::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id, receipt);
        assert!(!Settlements::<T>::contains_key(id));
    }

    #[benchmark]
    fn challenge_equivocation() {
        let id = pending::<T>();
        let first = receipt::<T>(1, 5, 1, Hash::zero());
        let second = Receipt {
            tokens_in: 2,
            ..first.clone()
        };
        let (first, second) = (signed::<T>(first), signed::<T>(second));
        let caller = challenger::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id, first, second);
        assert!(!Settlements::<T>::contains_key(id));
    }

    #[benchmark]
    fn demand() {
        let totals = Commitment {
            root: Hash::repeat_byte(1),
            count: MAX_TOTALS,
        };
        let id = settlement::<T>(SettlementState::Pending, totals, MAX_OPEN_DEMANDS - 1);
        let (model, _) = wide_model::<T>();
        let receipt = signed::<T>(receipt::<T>(1, 1, model, Hash::zero()));
        let caller: AccountId = whitelisted_caller();
        let bond = T::InitialRuleset::get().settlement.demand_bond;
        fund::<T>(&caller, bond + T::Currency::minimum_balance() * 10);
        let request = DemandRequest::Row {
            receipt,
            model,
            row: MAX_OPEN_DEMANDS,
        };
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id, request);
        assert_eq!(
            Settlements::<T>::get(id).unwrap().open_demands,
            MAX_OPEN_DEMANDS
        );
    }

    #[benchmark]
    fn answer() {
        let id = pending::<T>();
        Demands::<T>::mutate(id, 1, |stored| {
            stored.as_mut().unwrap().object = Demanded::Receipt { sequence: 1 };
        });
        let query = wide_query(1);
        let receipt = *signed::<T>(receipt::<T>(1, 1, 1, query.commit()));
        let caller: AccountId = whitelisted_caller();
        fund::<T>(&caller, T::Currency::minimum_balance() * 10);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            id,
            1,
            Box::new(Answer::Receipt { receipt, query }),
        );
        assert_eq!(
            Settlements::<T>::get(id).unwrap().open_demands,
            MAX_OPEN_DEMANDS - 1
        );
    }

    #[benchmark]
    fn expire_demand() {
        let id = pending::<T>();
        let (model, _) = wide_model::<T>();
        Demands::<T>::mutate(id, 1, |stored| {
            let stored = stored.as_mut().unwrap();
            stored.object = Demanded::Row { model, row: 0 };
            stored.deadline = 0;
        });
        let caller: AccountId = whitelisted_caller();
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id, 1);
        assert!(!Settlements::<T>::contains_key(id));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::externalities(), crate::mock::Test);
}
