//! Migrations that count down, fail, or never end, on a chain of this pallet alone.

#![allow(
    unreachable_pub,
    reason = "types that stand in a runtime's configuration have to be public"
)]

use core::cell::RefCell;

use frame_support::{
    derive_impl,
    migrations::{SteppedMigration, SteppedMigrationError},
    parameter_types,
    traits::{Hooks, IntegrityTest},
};
use sp_runtime::BuildStorage;

use super::*;
use crate as pallet_stepped_migrations;

type Block = frame_system::mocking::MockBlockU32<Test>;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type SteppedMigrations = pallet_stepped_migrations;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type MultiBlockMigrator = SteppedMigrations;
}

/// Weight of a countdown's step.
const STEP: Weight = Weight::from_parts(1_000, 0);

parameter_types! {
    /// Room for three steps in a block: reading and writing costs nothing here.
    pub const BlockShare: Weight = Weight::from_parts(3_500, 0);
    pub const MaxBlocks: u32 = 5;
}

impl Config for Test {
    type Migrations = (Countdown<1>, Countdown<2>);
    type BlockShare = BlockShare;
    type MaxBlocks = MaxBlocks;
}

/// What a migration does in a test.
#[derive(Clone, Copy)]
struct Plan {
    steps: u32,
    weight: Weight,
    fails_at: Option<u32>,
    promised: Option<u32>,
}

const SHORT: Plan = Plan {
    steps: 2,
    weight: STEP,
    fails_at: None,
    promised: None,
};

thread_local! {
    static PLANS: RefCell<[Plan; 2]> = const { RefCell::new([SHORT, SHORT]) };
}

fn plan(number: u32) -> Plan {
    PLANS.with_borrow(|plans| plans[number as usize - 1])
}

/// Writes a key at each step.
pub struct Countdown<const NUMBER: u32>;

fn trace(number: u32, step: u32) -> [u8; 2] {
    [number as u8, step as u8]
}

impl<const NUMBER: u32> SteppedMigration for Countdown<NUMBER> {
    type Cursor = u32;
    type Identifier = u32;

    fn id() -> u32 {
        NUMBER
    }

    fn max_steps() -> Option<u32> {
        plan(NUMBER).promised
    }

    fn step(
        cursor: Option<u32>,
        meter: &mut WeightMeter,
    ) -> Result<Option<u32>, SteppedMigrationError> {
        let plan = plan(NUMBER);
        let step = cursor.unwrap_or(0) + 1;
        meter
            .try_consume(plan.weight)
            .map_err(|()| SteppedMigrationError::InsufficientWeight {
                required: plan.weight,
            })?;
        frame_support::storage::unhashed::put(&trace(NUMBER, step), &());
        if plan.fails_at == Some(step) {
            return Err(SteppedMigrationError::Failed);
        }
        Ok((step < plan.steps).then_some(step))
    }
}

fn did(number: u32, step: u32) -> bool {
    frame_support::storage::unhashed::exists(&trace(number, step))
}

fn identifier(number: u32) -> Identifier {
    Identifier::truncate_from(number.encode())
}

/// Runs a test on a chain whose upgrade brings migrations of these plans.
fn run(plans: [Plan; 2], test: impl FnOnce()) {
    PLANS.set(plans);
    let storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .expect("the genesis builds");
    sp_io::TestExternalities::new(storage).execute_with(|| {
        System::set_block_number(1);
        test();
    });
}

/// Runs the next block's steps and returns what was announced in it.
fn block() -> Vec<Event<Test>> {
    System::set_block_number(System::block_number() + 1);
    System::reset_events();
    SteppedMigrations::step();
    announced()
}

fn announced() -> Vec<Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::SteppedMigrations(event) => Some(event),
            RuntimeEvent::System(_) => None,
        })
        .collect()
}

fn upgrade() {
    SteppedMigrations::on_runtime_upgrade();
}

#[test]
fn success_steps_spread_over_blocks_and_each_migration_is_done_once() {
    run([SHORT, SHORT], || {
        assert!(!SteppedMigrations::ongoing());
        upgrade();
        assert_eq!(announced(), [Event::Started]);
        assert!(SteppedMigrations::ongoing());
        // Three of four steps fit.
        assert_eq!(
            block(),
            [Event::Migrated {
                migration: identifier(1),
                steps: 2
            }]
        );
        assert!(did(1, 2) && did(2, 1) && !did(2, 2));
        assert!(SteppedMigrations::ongoing());
        assert_eq!(
            block(),
            [
                Event::Migrated {
                    migration: identifier(2),
                    steps: 2
                },
                Event::Completed
            ]
        );
        assert!(!SteppedMigrations::ongoing());

        // The next upgrade still lists them.
        System::reset_events();
        upgrade();
        assert_eq!(announced(), []);
        assert!(!SteppedMigrations::ongoing());
    });
}

#[test]
fn success_an_upgrade_does_only_what_is_new() {
    run([SHORT, SHORT], || {
        Done::<Test>::insert(identifier(1), ());
        upgrade();
        block();
        assert!(!did(1, 1) && did(2, 2));
        assert!(!SteppedMigrations::ongoing());
    });
}

#[test]
fn success_nothing_to_do_costs_a_read() {
    run([SHORT, SHORT], || {
        assert_eq!(block(), []);
        assert!(!SteppedMigrations::ongoing());
    });
}

/// What becomes of a first migration with this plan, after at most ten blocks.
fn failure(plan: Plan) -> (Option<Failure>, u32) {
    let mut found = (None, 0);
    run([plan, SHORT], || {
        upgrade();
        for _ in 0..10 {
            if let [Event::Failed {
                migration,
                steps,
                failure,
            }] = &block()[..]
            {
                assert_eq!(*migration, identifier(1));
                found = (Some(*failure), *steps);
            }
        }
        assert!(!SteppedMigrations::ongoing(), "the chain goes on");
        assert!(!did(2, 1), "what comes after does not begin");
        assert!(!Done::<Test>::contains_key(identifier(1)));
    });
    found
}

#[test]
fn fails_when_a_migration_refuses_and_undoes_that_step() {
    let plan = Plan {
        steps: 4,
        fails_at: Some(2),
        ..SHORT
    };
    assert_eq!(failure(plan), (Some(Failure::Refused), 1));
    run([plan, SHORT], || {
        upgrade();
        block();
        assert!(did(1, 1) && !did(1, 2));
    });
}

#[test]
fn fails_when_a_step_is_heavier_than_a_block() {
    let plan = Plan {
        weight: Weight::from_parts(4_000, 0),
        ..SHORT
    };
    assert_eq!(failure(plan), (Some(Failure::StepTooHeavy), 0));
}

#[test]
fn fails_when_a_promise_of_steps_is_broken() {
    let plan = Plan {
        steps: 100,
        promised: Some(7),
        ..SHORT
    };
    assert_eq!(failure(plan), (Some(Failure::TooManySteps), 7));
}

#[test]
fn fails_when_it_takes_too_many_blocks() {
    let plan = Plan {
        steps: 100,
        ..SHORT
    };
    // Three steps in each of five blocks.
    assert_eq!(failure(plan), (Some(Failure::TooManyBlocks), 15));
}

#[test]
fn success_the_configuration_is_sound() {
    <SteppedMigrations as IntegrityTest>::integrity_test();
}
