//! Benchmarks of every call at its worst.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

use crate::{
    pallet::{Call, Config, Jobs, NextJob, Operators, Pallet},
    traits::BenchmarkHelper,
    types::{Endpoint, Hardware, JobState, RowEvidence, MAX_ENDPOINT, MAX_HARDWARE},
};
use alloc::{boxed::Box, vec::Vec};
use attribution_proof::{
    bounds::{MAX_DIMENSION, MAX_INPUTS},
    contribution::Snapshot,
    hash::Hash,
    influence::{row_leaf, IndexSpec, InfluenceMethod, Row, RowOpening},
    merkle::{path_length, Commitment, Path},
    model::{Committed, Inputs, ModelKind},
    record::RecordOpening,
    ruleset::Rulesets,
    AccountId, Balance, BlockNumber, ContributionId, DatanetId, JobId,
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate, Unbalanced},
        tokens::Precision,
        Get,
    },
    BoundedVec,
};
use frame_system::RawOrigin;
use sp_runtime::SaturatedConversion;

/// An account that can pay for everything once.
fn rich<T: Config>(name: &'static str) -> AccountId {
    let who: AccountId = account(name, 0, 0);
    let rules = T::Rulesets::current().1;
    let money = rules.compute.operator_bond * 4
        + rules.settlement.challenge_bond
        + T::JobDeposit::get() * 4
        + fee::<T>() * 16;
    T::Currency::increase_balance(&who, money, Precision::Exact).expect("the sum fits");
    who
}

fn fee<T: Config>() -> Balance {
    T::Currency::minimum_balance() * 2
}

fn hardware() -> Hardware {
    Hardware::truncate_from(alloc::vec![b'1'; MAX_HARDWARE as usize])
}

fn endpoint() -> Endpoint {
    let mut url = b"https://".to_vec();
    url.resize(MAX_ENDPOINT as usize, b'a');
    Endpoint::truncate_from(url)
}

fn operator<T: Config>() -> AccountId {
    let who = rich::<T>("operator");
    let bond = T::Rulesets::current().1.compute.operator_bond;
    Pallet::<T>::register_operator(
        RawOrigin::Signed(who.clone()).into(),
        bond,
        hardware(),
        endpoint(),
    )
    .expect("the account is rich");
    who
}

fn set_block<T: Config>(number: BlockNumber) {
    frame_system::Pallet::<T>::set_block_number(number.into());
}

fn now<T: Config>() -> BlockNumber {
    frame_system::Pallet::<T>::block_number().saturated_into()
}

/// As many Datanets as a job can use, of one record each.
fn datanets<T: Config>() -> BoundedVec<DatanetId, frame_support::traits::ConstU32<MAX_INPUTS>> {
    let contributor: AccountId = account("contributor", 0, 0);
    let leaves = Commitment {
        root: Hash::repeat_byte(1),
        count: 1,
    };
    BoundedVec::truncate_from(
        (0..MAX_INPUTS)
            .map(|_| T::BenchmarkHelper::datanet(&contributor, leaves).0)
            .collect(),
    )
}

/// A job of a rich builder for an adapter over as many inputs as fit.
fn requested<T: Config>() -> (AccountId, JobId) {
    let builder = rich::<T>("builder");
    let base = T::BenchmarkHelper::base_model(&builder);
    let job = NextJob::<T>::get();
    Pallet::<T>::request_job(
        RawOrigin::Signed(builder.clone()).into(),
        ModelKind::Adapter { base },
        datanets::<T>(),
        [1; 32],
        None,
        0,
        1,
        0,
        fee::<T>(),
    )
    .expect("everything asked for is there");
    (builder, job)
}

fn taken<T: Config>() -> (AccountId, JobId) {
    let (_, job) = requested::<T>();
    let operator = operator::<T>();
    Pallet::<T>::take_job(RawOrigin::Signed(operator.clone()).into(), job).expect("it is open");
    (operator, job)
}

fn committed(count: u32) -> Committed {
    Committed {
        commitment: Commitment {
            root: Hash::repeat_byte(2),
            count,
        },
        content: [2; 32],
    }
}

fn next_randomness<T: Config>() {
    set_block::<T>(now::<T>() + 1);
    T::BenchmarkHelper::set_randomness_known_since(now::<T>());
}

fn seeded<T: Config>() -> (AccountId, JobId) {
    let (operator, job) = taken::<T>();
    next_randomness::<T>();
    Pallet::<T>::draw_order_seed(RawOrigin::Signed(operator.clone()).into(), job)
        .expect("randomness is fresh");
    (operator, job)
}

fn transcribed<T: Config>() -> (AccountId, JobId) {
    let (operator, job) = seeded::<T>();
    Pallet::<T>::submit_transcript(
        RawOrigin::Signed(operator.clone()).into(),
        job,
        [3; 32],
        Hash::repeat_byte(3),
        Hash::repeat_byte(3),
        committed(2),
        2,
        1,
    )
    .expect("the seed is drawn");
    (operator, job)
}

fn spec(projection_seed: Hash) -> IndexSpec {
    IndexSpec {
        version: 1,
        dimension: MAX_DIMENSION,
        scale_cap: u16::MAX,
        norm_minimum: 1,
        norm_maximum: u64::MAX,
        method: InfluenceMethod::DampedGaussNewton,
        projection_seed,
        preconditioner: Hash::zero(),
    }
}

/// Operator, job, its index's terms.
fn projected<T: Config>() -> (AccountId, JobId, IndexSpec) {
    let (operator, job) = transcribed::<T>();
    next_randomness::<T>();
    Pallet::<T>::draw_projection_seed(RawOrigin::Signed(operator.clone()).into(), job)
        .expect("randomness is fresh");
    match Jobs::<T>::get(job).expect("known").state {
        JobState::Transcribed {
            projection_seed: Some(seed),
            ..
        } => (operator, job, spec(seed)),
        _ => unreachable!("the seed was just drawn"),
    }
}

fn submitted<T: Config>() -> (AccountId, JobId) {
    let (operator, job, spec) = projected::<T>();
    Pallet::<T>::submit_index(
        RawOrigin::Signed(operator.clone()).into(),
        job,
        committed(MAX_INPUTS),
        spec,
    )
    .expect("one row per input record");
    (operator, job)
}

/// A commitment over as many leaves as there can be, whose first is `leaf`, and that leaf's path.
fn deepest(leaf: Hash) -> (Commitment, Path) {
    let count = u32::MAX;
    let length = path_length(0, count).expect("there is a first leaf");
    let siblings: Vec<Hash> = (0..length).map(|_| Hash::repeat_byte(7)).collect();
    let root = siblings.iter().fold(leaf, |node, sibling| {
        Commitment::of(alloc::vec![node, *sibling]).root
    });
    (Commitment { root, count }, Path::truncate_from(siblings))
}

/// A submitted job whose first row, of the largest size, names another record than its owner's, and
/// the evidence for that, with the longest paths.
fn forged<T: Config>() -> (JobId, RowOpening, RowEvidence) {
    let contributor: AccountId = account("contributor", 1, 0);
    let mut record = RecordOpening {
        index: 0,
        salt: Hash::repeat_byte(4),
        content: Commitment {
            root: Hash::repeat_byte(4),
            count: 1,
        },
        len: 1,
        path: Path::new(),
    };
    let (leaves, path) = deepest(record.leaf(&contributor));
    record.path = path;
    let (datanet, contribution): (DatanetId, ContributionId) =
        T::BenchmarkHelper::datanet(&contributor, leaves);

    let (_, job) = submitted::<T>();
    let value = Row::Own {
        scale: 1,
        g: alloc::vec![1i8; MAX_DIMENSION as usize]
            .try_into()
            .expect("the largest dimension"),
    };
    let other_record = Hash::repeat_byte(5);
    let (index, path) = deepest(row_leaf(job, 0, &other_record, &value));
    Jobs::<T>::mutate(job, |job| {
        let job = job.as_mut().expect("known");
        // The inputs of the largest encoded size, of which the last holds every record.
        let mut inputs: Vec<Snapshot> = (0..MAX_INPUTS - 1)
            .map(|number| Snapshot {
                datanet: DatanetId::MAX - number,
                length: 1,
                head: Hash::zero(),
                records: 0,
            })
            .collect();
        inputs.push(Snapshot {
            datanet,
            length: 1,
            head: Hash::zero(),
            records: u32::MAX,
        });
        job.inputs = Inputs::truncate_from(inputs);
        if let JobState::Submitted { result, .. } = &mut job.state {
            result.index.commitment = index;
        }
    });
    let row = RowOpening {
        row: 0,
        record: other_record,
        value,
        path,
    };
    (
        job,
        row,
        RowEvidence::Record {
            contribution,
            record,
        },
    )
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register_operator() {
        let who = rich::<T>("operator");
        let bond = T::Rulesets::current().1.compute.operator_bond;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), bond, hardware(), endpoint());

        assert!(Operators::<T>::contains_key(&who));
    }

    #[benchmark]
    fn add_bond() {
        let who = operator::<T>();
        let before = Pallet::<T>::bond(&who);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), 1);

        assert_eq!(Pallet::<T>::bond(&who), before + 1);
    }

    #[benchmark]
    fn update_operator() {
        let who = operator::<T>();
        let short = Hardware::truncate_from(b"{}".to_vec());
        Operators::<T>::mutate(&who, |operator| {
            operator.as_mut().expect("registered").hardware = short;
        });

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), hardware(), endpoint());

        assert_eq!(
            Operators::<T>::get(&who).expect("registered").hardware,
            hardware()
        );
    }

    #[benchmark]
    fn drain() {
        let who = operator::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(!Pallet::<T>::is_operator_active(&who));
    }

    #[benchmark]
    fn withdraw_bond() {
        let who = operator::<T>();
        Pallet::<T>::drain(RawOrigin::Signed(who.clone()).into()).expect("it is active");
        set_block::<T>(now::<T>() + 1);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(!Operators::<T>::contains_key(&who));
    }

    #[benchmark]
    fn request_job() {
        let builder = rich::<T>("builder");
        let base = T::BenchmarkHelper::base_model(&builder);
        let inputs = datanets::<T>();
        let job = NextJob::<T>::get();

        #[extrinsic_call]
        _(
            RawOrigin::Signed(builder),
            ModelKind::Adapter { base },
            inputs,
            [1; 32],
            None,
            0,
            1,
            0,
            fee::<T>(),
        );

        assert!(Jobs::<T>::contains_key(job));
    }

    #[benchmark]
    fn cancel_job() {
        let (builder, job) = requested::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(builder), job);

        assert!(Jobs::<T>::get(job).expect("known").state.is_over());
    }

    #[benchmark]
    fn take_job() {
        let (_, job) = requested::<T>();
        let operator = operator::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(operator), job);

        assert!(Jobs::<T>::get(job)
            .expect("known")
            .state
            .assignment()
            .is_some());
    }

    #[benchmark]
    fn draw_order_seed() {
        let (operator, job) = taken::<T>();
        next_randomness::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(operator), job);

        assert!(matches!(
            Jobs::<T>::get(job).expect("known").state,
            JobState::Taken {
                order_seed: Some(_),
                ..
            }
        ));
    }

    #[benchmark]
    fn submit_transcript() {
        let (operator, job) = seeded::<T>();

        #[extrinsic_call]
        _(
            RawOrigin::Signed(operator),
            job,
            [3; 32],
            Hash::repeat_byte(3),
            Hash::repeat_byte(3),
            committed(2),
            2,
            1,
        );

        assert!(matches!(
            Jobs::<T>::get(job).expect("known").state,
            JobState::Transcribed { .. }
        ));
    }

    #[benchmark]
    fn draw_projection_seed() {
        let (operator, job) = transcribed::<T>();
        next_randomness::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(operator), job);

        assert!(matches!(
            Jobs::<T>::get(job).expect("known").state,
            JobState::Transcribed {
                projection_seed: Some(_),
                ..
            }
        ));
    }

    #[benchmark]
    fn submit_index() {
        let (operator, job, spec) = projected::<T>();

        #[extrinsic_call]
        _(
            RawOrigin::Signed(operator),
            job,
            committed(MAX_INPUTS),
            spec,
        );

        assert!(matches!(
            Jobs::<T>::get(job).expect("known").state,
            JobState::Submitted { .. }
        ));
    }

    /// A proven fault costs more than a rejected one: a slash, a reward and a refund.
    #[benchmark]
    fn challenge_row() {
        let (job, row, evidence) = forged::<T>();
        let challenger = rich::<T>("challenger");
        T::Currency::set_balance(&T::Treasury::get(), T::Currency::minimum_balance() * 2);

        #[extrinsic_call]
        _(
            RawOrigin::Signed(challenger),
            job,
            Box::new(row),
            Box::new(evidence),
        );

        assert!(Jobs::<T>::get(job).expect("known").state.is_over());
    }

    #[benchmark]
    fn finalise_job() {
        let (operator, job) = submitted::<T>();
        let window = T::Rulesets::current().1.compute.job_window;
        set_block::<T>(now::<T>() + window + 1);

        #[extrinsic_call]
        _(RawOrigin::Signed(operator), job);

        assert!(matches!(
            Jobs::<T>::get(job).expect("known").state,
            JobState::Finalised { .. }
        ));
    }

    #[benchmark]
    fn expire_job() {
        let (operator, job) = transcribed::<T>();
        let deadline = T::Rulesets::current().1.compute.submit_deadline;
        set_block::<T>(now::<T>() + deadline + 1);
        T::Currency::set_balance(&T::Treasury::get(), T::Currency::minimum_balance() * 2);

        #[extrinsic_call]
        _(RawOrigin::Signed(operator), job);

        assert!(Jobs::<T>::get(job).expect("known").state.is_over());
    }

    #[benchmark]
    fn forget_job() {
        let (builder, job) = requested::<T>();
        Pallet::<T>::cancel_job(RawOrigin::Signed(builder.clone()).into(), job)
            .expect("it is open");

        #[extrinsic_call]
        _(RawOrigin::Signed(builder), job);

        assert!(!Jobs::<T>::contains_key(job));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
