use super::*;

#[test]
fn success_operators_come_in_pages() {
    run(|| {
        for who in 1..=5 {
            assert_ok!(register_operator(who, BOND));
        }
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = Compute::operators(after.clone(), 2);
            assert!(page.len() <= 2);
            match page.last() {
                None => break,
                Some((last, _)) => after = Some(last.clone()),
            }
            seen.extend(page.into_iter().map(|(who, _)| who));
        }
        seen.sort();
        assert_eq!(seen, (1..=5).map(account).collect::<Vec<_>>());
    });
}

#[test]
fn success_jobs_come_in_pages_without_forgotten_ones() {
    run(|| {
        let first = requested();
        let second = Request::default().job();
        let third = Request::default().job();
        assert_ok!(Compute::cancel_job(signed(BUILDER), second));
        assert_ok!(Compute::forget_job(signed(BUILDER), second));
        let numbers = |start, limit| {
            Compute::jobs(start, limit)
                .into_iter()
                .map(|(job, _)| job)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(0, u32::MAX), [first, third]);
        assert_eq!(numbers(2, 2), [third]);
        assert_eq!(numbers(9, 9), Vec::<JobId>::new());
        assert_eq!(Compute::next_job(), 4);
        assert_eq!(Compute::job(first), Jobs::<Test>::get(first));
    });
}

#[test]
fn success_unknown_operator_has_no_bond() {
    run(|| {
        assert_eq!(Compute::operator(account(1)), None);
        assert_eq!(Compute::bond(&account(1)), 0);
        assert_eq!(Compute::free_bond(account(1)), 0);
        assert!(!Compute::is_operator_active(&account(1)));
    });
}

#[test]
fn success_free_bond_is_zero_where_slashes_ate_into_stakes() {
    run(|| {
        taken();
        Compute::slash_operator(&account(OPERATOR), BOND - 1, None, 0);
        assert_eq!(Compute::bond(&account(OPERATOR)), 1);
        assert_eq!(Compute::free_bond(account(OPERATOR)), 0);
    });
}
