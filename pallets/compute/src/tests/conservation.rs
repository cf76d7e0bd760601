use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Operation {
    Register(u8, Balance),
    AddBond(u8, Balance),
    Drain(u8),
    Withdraw(u8),
    Slash(u8, Balance, u8),
    Channel(u8, bool),
    Request(u8, Balance, bool),
    Cancel(usize),
    /// The natural next step of a job, by an operator if it is open, with a lie in its index.
    Advance(usize, u8, bool),
    Challenge(usize, u8, u32),
    Expire(usize),
    Forget(usize),
    ToggleBase,
    Pass(u32),
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    // Few accounts, so that operations meet.
    let who = || 1u8..4;
    let job = || 0usize..4;
    let amount = || prop_oneof![4 => 0u128..9_000, 1 => Just(Balance::MAX)];
    prop_oneof![
        3 => (who(), 9_000u128..30_000).prop_map(|(who, bond)| Register(who, bond)),
        2 => (who(), amount()).prop_map(|(who, amount)| AddBond(who, amount)),
        1 => who().prop_map(Drain),
        1 => who().prop_map(Withdraw),
        1 => (who(), amount(), who()).prop_map(|(who, amount, to)| Slash(who, amount, to)),
        1 => (who(), any::<bool>()).prop_map(|(who, open)| Channel(who, open)),
        4 => (who(), amount(), any::<bool>()).prop_map(|(who, fee, over)| Request(who, fee, over)),
        1 => job().prop_map(Cancel),
        20 => (job(), who(), any::<bool>()).prop_map(|(job, who, lie)| Advance(job, who, lie)),
        4 => (job(), who(), prop_oneof![Just(3u32), 0u32..7]).prop_map(|(job, who, row)| Challenge(job, who, row)),
        1 => job().prop_map(Expire),
        1 => job().prop_map(Forget),
        1 => Just(ToggleBase),
        2 => (1u32..12).prop_map(Pass),
    ]
}

fn rows(lie: bool) -> Vec<(Hash, Row)> {
    let mut rows = honest_rows();
    if lie {
        rows[3].1 = Row::Absent;
    }
    rows
}

/// A job that is not over, or else one that is.
fn select(position: usize) -> Option<(JobId, Job)> {
    let mut jobs: Vec<_> = Jobs::<Test>::iter().collect();
    jobs.sort_by_key(|(id, job)| (job.state.is_over(), *id));
    let waiting = jobs.iter().filter(|(_, job)| !job.state.is_over()).count();
    let among = if waiting > 0 { waiting } else { jobs.len() };
    (among > 0).then(|| jobs.swap_remove(position % among))
}

fn number(who: &AccountId) -> u8 {
    <[u8; 32]>::from(who.clone())[0]
}

fn fresh_randomness() {
    pass(1);
    OrderKnownSince::set(System::block_number());
    ProjectionKnownSince::set(System::block_number());
}

fn advance(id: JobId, job: Job, who: u8, lie: bool) -> DispatchResult {
    let operator = job
        .state
        .assignment()
        .map(|assignment| number(&assignment.operator));
    match (job.state, operator) {
        (JobState::Open { .. }, _) => Compute::take_job(signed(who), id),
        (
            JobState::Taken {
                order_seed: None, ..
            },
            _,
        ) => {
            fresh_randomness();
            Compute::draw_order_seed(signed(9), id)
        }
        (JobState::Taken { .. }, Some(operator)) => submit_transcript(operator, id),
        (
            JobState::Transcribed {
                projection_seed: None,
                ..
            },
            _,
        ) => {
            fresh_randomness();
            Compute::draw_projection_seed(signed(9), id)
        }
        (
            JobState::Transcribed {
                projection_seed: Some(seed),
                ..
            },
            Some(operator),
        ) => submit_index(operator, id, &rows(lie), spec(seed)),
        (JobState::Submitted { window_end, .. }, _) => {
            System::set_block_number(window_end + 1);
            Compute::finalise_job(signed(9), id)
        }
        _ => Err(Error::<Test>::WrongState.into()),
    }
}

fn challenge(id: JobId, job: Job, who: u8, row: u32) -> DispatchResult {
    let lies = matches!(
        job.state,
        JobState::Submitted { result, .. }
            if result.index.commitment == row_tree(id, &rows(true)).commitment()
    );
    let (contribution, record) = OWNERS[row as usize];
    Compute::challenge_row(
        signed(who),
        id,
        Box::new(row_opening(id, &rows(lies), row)),
        Box::new(RowEvidence::Presence {
            contribution,
            record,
        }),
    )
}

/// Many of these fail on most states; whether they do is for the tests of the calls to say.
fn apply(operation: Operation) -> DispatchResult {
    match operation {
        Operation::Register(who, bond) => register_operator(who, bond),
        Operation::AddBond(who, amount) => Compute::add_bond(signed(who), amount),
        Operation::Drain(who) => Compute::drain(signed(who)),
        Operation::Withdraw(who) => Compute::withdraw_bond(signed(who)),
        Operation::Slash(who, amount, to) => {
            Compute::slash_operator(&account(who), amount, Some(&account(to)), 333_333_333);
            Ok(())
        }
        Operation::Channel(who, open) => {
            let note = if open {
                Compute::channel_opened
            } else {
                Compute::channel_closed
            };
            note(&account(who));
            Ok(())
        }
        Operation::Request(builder, fee, over) => {
            let kind = if over {
                ModelKind::Adapter { base: 1 }
            } else {
                ModelKind::Base
            };
            Request {
                builder,
                fee,
                kind,
                ..Request::default()
            }
            .call()
        }
        Operation::ToggleBase => {
            Bases::mutate(|bases| {
                if bases.remove(&1).is_none() {
                    bases.insert(1, 0);
                }
            });
            Ok(())
        }
        Operation::Pass(blocks) => {
            pass(blocks);
            Ok(())
        }
        Operation::Cancel(position)
        | Operation::Advance(position, ..)
        | Operation::Challenge(position, ..)
        | Operation::Expire(position)
        | Operation::Forget(position) => {
            let Some((id, job)) = select(position) else {
                return Err(Error::<Test>::UnknownJob.into());
            };
            let builder = RuntimeOrigin::signed(job.builder.clone());
            match operation {
                Operation::Cancel(_) => Compute::cancel_job(builder, id),
                Operation::Advance(_, who, lie) => advance(id, job, who, lie),
                Operation::Challenge(_, who, row) => challenge(id, job, who, row),
                Operation::Expire(_) => Compute::expire_job(signed(9), id),
                _ => Compute::forget_job(builder, id),
            }
        }
    }
}

/// Everything that the accounts own, of which every held unit must be in this pallet's books.
fn owned() -> Balance {
    let accounts = || (1..=9).map(account).chain([TreasuryAccount::get()]);
    let held: Balance = accounts().map(|who| Balances::reserved_balance(&who)).sum();
    let booked = Operators::<Test>::iter_values()
        .map(|operator| operator.bond)
        .sum::<Balance>()
        + Jobs::<Test>::iter_values()
            .map(|job| job.deposit + if job.state.is_over() { 0 } else { job.fee })
            .sum::<Balance>();
    assert_eq!(held, booked, "every held unit is in the books");
    held + accounts()
        .map(|who| Balances::free_balance(&who))
        .sum::<Balance>()
}

/// Ends whatever still waits by nothing but time, and lets every operator leave.
fn wind_up() {
    pass(1_000);
    for (id, job) in Jobs::<Test>::iter().collect::<Vec<_>>() {
        if matches!(job.state, JobState::Submitted { .. }) {
            assert_ok!(Compute::finalise_job(signed(9), id));
        } else if !job.state.is_over() {
            assert_ok!(Compute::expire_job(signed(9), id));
        }
        if matches!(state(id), JobState::Refunded { .. }) {
            assert_ok!(Compute::forget_job(
                RuntimeOrigin::signed(job.builder.clone()),
                id
            ));
        }
    }
    for (who, operator) in Operators::<Test>::iter().collect::<Vec<_>>() {
        (0..operator.open_channels).for_each(|_| Compute::channel_closed(&who));
        let origin = RuntimeOrigin::signed(who);
        if operator.state == OperatorState::Active {
            assert_ok!(Compute::drain(origin.clone()));
        }
        assert_ok!(Compute::withdraw_bond(origin));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    /// After any sequence of operations the holds are the books, no unit was made or lost, and
    /// nothing is stuck.
    #[test]
    fn success_books_agree_after_any_operations(
        operations in prop::collection::vec(operation(), 20..100),
    ) {
        run(|| {
            data();
            let before = owned();
            for operation in operations {
                let _ = frame_support::storage::with_storage_layer(|| apply(operation));
                Compute::do_try_state().unwrap();
                assert_eq!(owned(), before);
            }
            wind_up();
            assert_eq!(owned(), before);
            // Only the deposits of jobs that made a model are still held.
            let held: Balance = (1..=9).map(|n| Balances::reserved_balance(account(n))).sum();
            assert_eq!(held, RegisteredModels::get().len() as Balance * JOB_DEPOSIT);
        });
    }
}
