use super::*;

#[test]
fn success_open() {
    execute(|| {
        assert_ok!(Datanets::create_open(signed(1), name("Rust crates")));
        let datanet = Datanets::datanet(1).unwrap();
        assert_eq!(datanet.owner, account(1));
        assert_eq!(datanet.kind, DatanetKind::Open);
        assert_eq!(
            (datanet.length, datanet.records, datanet.head),
            (0, 0, Hash::zero())
        );
        assert_eq!(held(HoldReason::DatanetDeposit, 1), DATANET_DEPOSIT);
        assert_eq!(
            last_event(),
            PalletEvent::DatanetCreated {
                datanet: 1,
                owner: account(1),
                name: name("Rust crates"),
                kind: DatanetKind::Open,
                deposit: DATANET_DEPOSIT,
            }
        );
        assert_ok!(Datanets::create_open(signed(1), name("Rust crates")));
        assert_eq!(held(HoldReason::DatanetDeposit, 1), 2 * DATANET_DEPOSIT);
        assert!(Datanets::datanet(2).is_some());
    });
}

#[test]
fn success_curated_at_the_bounds() {
    execute(|| {
        let curators: Curators = (1..=16)
            .map(account)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        for threshold in [1, 16] {
            assert_ok!(Datanets::create_curated(
                signed(1),
                name("curated"),
                curators.clone(),
                threshold
            ));
        }
        assert_eq!(
            Datanets::datanet(2).unwrap().kind,
            DatanetKind::Curated {
                curators,
                threshold: 16
            }
        );
    });
}

#[test]
fn fails_when_name_is_invalid() {
    execute(|| {
        for bytes in [&b""[..], b"  ", b"two\nlines", b"nul\0", b"\xff\xfe"] {
            assert_noop!(
                Datanets::create_open(signed(1), bytes.to_vec().try_into().unwrap()),
                PalletError::InvalidName
            );
        }
    });
}

#[test]
fn fails_when_threshold_is_invalid() {
    execute(|| {
        let curators: Curators = vec![account(1), account(2)].try_into().unwrap();
        for threshold in [0, 3, u32::MAX] {
            assert_noop!(
                Datanets::create_curated(signed(1), name("c"), curators.clone(), threshold),
                PalletError::InvalidThreshold
            );
        }
        assert_noop!(
            Datanets::create_curated(signed(1), name("c"), Curators::default(), 1),
            PalletError::InvalidThreshold
        );
    });
}

#[test]
fn fails_when_curator_is_named_twice() {
    execute(|| {
        let curators: Curators = vec![account(1), account(2), account(1)].try_into().unwrap();
        assert_noop!(
            Datanets::create_curated(signed(1), name("c"), curators, 2),
            PalletError::DuplicateCurator
        );
    });
}

#[test]
fn fails_when_deposit_is_not_covered() {
    execute(|| {
        assert_noop!(
            Datanets::create_open(signed(99), name("poor")),
            TokenError::FundsUnavailable
        );
    });
}

#[test]
fn fails_when_numbers_are_exhausted() {
    execute(|| {
        NextDatanet::<Test>::put(u32::MAX);
        // Rolled back by the dispatcher, as every failing call is.
        let call = RuntimeCall::Datanets(Call::create_open { name: name("last") });
        assert_noop!(dispatch(call, 1), PalletError::NumbersExhausted);
    });
}
