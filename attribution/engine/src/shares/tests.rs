use super::*;
use attribution_proof::{challenge::influence_credit, span::Occurrence};
use proptest::prelude::*;

const RULES: ReceiptRules = ReceiptRules {
    top_k: 64,
    floor_numerator: 1,
    floor_denominator: 100,
    minimum_span: 8,
    span_weight_cap: 100,
    influence_mix: 250_000_000,
};

fn span(length: u32, row: u32) -> Span {
    Span {
        start: 0,
        length,
        at: Occurrence {
            model: 1,
            row,
            offset: 0,
        },
    }
}

#[test]
fn kinds_are_mixed_as_governed_and_lengths_capped() {
    let credits = [influence_credit(1, 0, 300), influence_credit(1, 1, 100)];
    // 500 bytes weigh as much as the cap of 100.
    let spans = [span(500, 2), span(100, 1)];
    // Rows 0 and 1 belong to contribution 7, row 2 to 9.
    let shares = trace_shares(&credits, &spans, &RULES, |_, row| {
        7 + u64::from(row / 2 * 2)
    })
    .unwrap();
    let (seven, nine) = (Payee::Contribution(7), Payee::Contribution(9));
    assert_eq!(shares.influence, [(seven, 1_000_000_000)]);
    assert_eq!(shares.spans, [(seven, 500_000_000), (nine, 500_000_000)]);
    assert_eq!(shares.mix, [(seven, 625_000_000), (nine, 375_000_000)]);
}

#[test]
fn the_treasury_takes_what_nobody_earned() {
    let shares = trace_shares(&[], &[], &RULES, |_, _| 1).unwrap();
    let treasury = vec![(Payee::Treasury, BILLION)];
    assert_eq!(
        shares,
        TraceShares {
            influence: treasury.clone(),
            spans: treasury.clone(),
            mix: treasury
        }
    );
}

#[test]
fn records_share_by_capped_positive_scores_without_copies() {
    let own = [Standing::Own; 4];
    let scores = [3.0, -5.0, 1.0, 0.0];
    let parts = |cap| record_shares(&scores, &own, cap).unwrap();
    assert_eq!(parts(None), [750_000_000, 0, 250_000_000, 0]);
    assert_eq!(parts(Some(1.0)), [500_000_000, 0, 500_000_000, 0]);
    let copied = [
        Standing::Own,
        Standing::Own,
        Standing::DuplicateOf(0),
        Standing::Own,
    ];
    assert_eq!(
        record_shares(&scores, &copied, None).unwrap(),
        [BILLION, 0, 0, 0]
    );
    assert_eq!(
        record_shares(&[-1.0, 0.0], &own[..2], None).unwrap(),
        [0, 0]
    );
}

#[test]
fn caps_are_quantiles_of_positive_scores() {
    let scores = [4.0, -9.0, 1.0, 3.0, 2.0];
    let cap = |part| quantile_cap(&scores, part).unwrap();
    assert_eq!(cap(1.0), Some(4.0));
    assert_eq!(cap(0.75), Some(3.0));
    assert_eq!(cap(0.1), Some(1.0));
    assert_eq!(quantile_cap(&[-1.0], 0.5).unwrap(), None);
    let refused = quantile_cap(&scores, 0.0).unwrap_err().to_string();
    assert!(refused.contains("quantile of the cap is 0"), "{refused}");
}

#[test]
fn bad_scores_are_refused() {
    let refused = |scores: &[f64], cap| {
        record_shares(scores, &[Standing::Own; 2], cap)
            .unwrap_err()
            .to_string()
    };
    assert!(refused(&[1.0], None).contains("2 entries where 1"));
    assert!(refused(&[1.0, f64::NAN], None).contains("score of record 1 is NaN"));
    assert!(refused(&[1.0, 1.0], Some(0.0)).contains("cap is 0"));
}

proptest! {
    #[test]
    fn splitting_an_owner_gains_nothing(
        scores in prop::collection::vec(-1.0_f64..10.0, 4..64),
        shells in 1_usize..5,
    ) {
        let own = vec![Standing::Own; scores.len()];
        let parts = record_shares(&scores, &own, None).unwrap();
        let sum = parts.iter().map(|part| u64::from(*part)).sum::<u64>();
        prop_assert!(sum == u64::from(BILLION) || scores.iter().all(|score| *score <= 0.0));
        // The first half belongs to one owner, under one name or several.
        let half = scores.len() / 2;
        let under = |shell: usize| -> u64 {
            (0..half).filter(|row| row % shells == shell).map(|row| u64::from(parts[row])).sum()
        };
        let together = parts[..half].iter().map(|part| u64::from(*part)).sum::<u64>();
        prop_assert_eq!((0..shells).map(under).sum::<u64>(), together);
    }

    #[test]
    fn shares_sum_to_the_whole(
        scores in prop::collection::vec(1_i64..1 << 50, 0..64),
        lengths in prop::collection::vec(8_u32..1_024, 0..64),
        owners in 1_u64..9,
    ) {
        let credits = (0..).zip(&scores).map(|(row, score)| influence_credit(1, row, *score)).collect::<Vec<_>>();
        let spans = (0..).zip(&lengths).map(|(row, length)| span(*length, row)).collect::<Vec<_>>();
        let shares = trace_shares(&credits, &spans, &RULES, |_, row| u64::from(row) % owners).unwrap();
        for kind in [shares.influence, shares.spans, shares.mix] {
            prop_assert_eq!(kind.iter().map(|(_, part)| part).sum::<u32>(), BILLION);
            prop_assert!(kind.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }
}

mod peers {
    use super::*;
    use crate::{
        shares::{peer_weights, PeerRule, Peers},
        valuation::Samples,
    };

    const RULE: PeerRule = PeerRule {
        exponent: 0.3,
        cap: 1.2,
    };
    const UNDEFENDED: PeerRule = PeerRule {
        exponent: 1.0,
        cap: f64::INFINITY,
    };

    /// What the records of an owner earn, weighed.
    fn paid(earned: &[f64], expected: &[f64], owners: &[u32], rule: PeerRule, of: &[u32]) -> f64 {
        let weights = peer_weights(earned, expected, owners, rule).unwrap();
        let paid = earned.iter().zip(weights).zip(owners);
        paid.filter(|(_, owner)| of.contains(owner))
            .map(|((earned, weight), _)| earned * weight)
            .sum()
    }

    #[test]
    fn peers_are_the_nearest_of_others_with_the_label() {
        let features = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let records = Samples::new(&features, 1, &[0, 0, 0, 0, 1, 2]).unwrap();
        let owners = [7, 7, 8, 9, 7, 9];
        let peers = Peers::nearest(records, &owners, 2).unwrap();
        assert_eq!(peers.of(0), [2, 3]);
        assert_eq!(peers.of(2), [1, 3]);
        assert_eq!(Peers::nearest(records, &owners, 1).unwrap().of(2), [1]);
        assert!(peers.of(4).is_empty());
        let expected = peers.expected(&[1.0, 2.0, 3.0, 4.0, 5.0, 9.0]).unwrap();
        // Record 4 has no peers: the mean of records 2, 3 and 5, which are not its owner's. Record 5:
        // that of records 0, 1, 2 and 4.
        assert_eq!(expected, [3.5, 3.5, 3.0, 2.5, 16.0 / 3.0, 2.75]);
        let alone = Peers::nearest(records, &[7; 6], 2).unwrap();
        assert_eq!(alone.expected(&[1.0; 6]).unwrap(), [0.0; 6]);
    }

    #[test]
    fn own_earnings_count_up_to_the_cap() {
        let owners = [0, 0, 1];
        let expected = [1.0, 1.0, 2.0];
        let weights = |earned: [f64; 3], exponent, cap| {
            peer_weights(&earned, &expected, &owners, PeerRule { exponent, cap }).unwrap()
        };
        // Both are expected to earn 5; the first owner earns 8, the second 2.
        assert_eq!(weights([6.0, 2.0, 2.0], 0.0, 1.0), [0.625, 0.625, 2.5]);
        assert_eq!(weights([6.0, 2.0, 2.0], 1.0, 1.5), [0.9375, 0.9375, 1.0]);
        assert_eq!(weights([6.0, 2.0, 2.0], 1.0, 2.0), [1.0; 3]);
        assert_eq!(weights([5.0, 0.0, 0.0], 0.5, 2.0)[2], 1.0);
        // Nobody has peers that earn anything.
        assert_eq!(
            peer_weights(&[1.0, 2.0], &[0.0; 2], &[0, 1], RULE).unwrap(),
            [1.0; 2]
        );
        // Only the second owner has.
        assert_eq!(
            peer_weights(&[1.0, 2.0], &[0.0, 1.0], &[0, 1], RULE).unwrap()[0],
            0.0
        );
        let kept = peer_weights(&[1.0, 2.0], &[0.0, 1.0], &[0, 1], UNDEFENDED).unwrap();
        assert_eq!(kept, [1.0; 2]);
    }

    #[test]
    fn bad_peers_and_rules_are_refused() {
        let records = Samples::new(&[0.0, 1.0], 1, &[0, 0]).unwrap();
        let refused = |result: Result<Vec<f64>, Error>| result.unwrap_err().to_string();
        let found = |owners: &[u32], count| Peers::nearest(records, owners, count);
        let error = found(&[0], 1).unwrap_err().to_string();
        assert!(error.contains("list of owners"), "{error}");
        let error = found(&[0, 1], 0).unwrap_err().to_string();
        assert!(error.contains("number of peers is 0"), "{error}");
        let peers = found(&[0, 1], 1).unwrap();
        let error = refused(peers.expected(&[1.0]));
        assert!(error.contains("list of earnings"), "{error}");
        let error = refused(peers.expected(&[1.0, -1.0]));
        assert!(error.contains("earnings of record 1 is -1"), "{error}");
        let weights = |earned: &[f64], expected: &[f64], exponent, cap| {
            refused(peer_weights(
                earned,
                expected,
                &[0, 1],
                PeerRule { exponent, cap },
            ))
        };
        let error = weights(&[1.0], &[1.0], 0.5, 1.0);
        assert!(error.contains("list of owners"), "{error}");
        let error = weights(&[1.0; 2], &[1.0], 0.5, 1.0);
        assert!(error.contains("list of expected earnings"), "{error}");
        let error = weights(&[1.0; 2], &[1.0, f64::NAN], 0.5, 1.0);
        assert!(
            error.contains("expected earnings of record 1 is NaN"),
            "{error}"
        );
        for exponent in [-0.1, 1.1, f64::NAN] {
            let error = weights(&[1.0; 2], &[1.0; 2], exponent, 1.0);
            assert!(error.contains("exponent of the peer rule"), "{error}");
        }
        for cap in [0.9, f64::NAN] {
            let error = weights(&[1.0; 2], &[1.0; 2], 0.5, cap);
            assert!(error.contains("cap of the peer rule"), "{error}");
        }
    }

    /// Earned and expected amounts, and owners of which 0 has records for sure.
    fn market() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<u32>)> {
        (4_usize..40).prop_flat_map(|n| {
            (
                prop::collection::vec(0.01_f64..10.0, n),
                prop::collection::vec(0.01_f64..10.0, n),
                prop::collection::vec(0_u32..4, n),
            )
                .prop_map(|(earned, expected, mut owners)| {
                    owners[..3].fill(0);
                    (earned, expected, owners)
                })
        })
    }

    fn rule() -> impl Strategy<Value = PeerRule> {
        (0.0_f64..=1.0, 1.0_f64..4.0).prop_map(|(exponent, cap)| PeerRule { exponent, cap })
    }

    proptest! {
        #[test]
        fn splitting_an_owner_with_peers_gains_nothing(
            (earned, expected, owners) in market(),
            rule in rule(),
            shells in 2_u32..5,
        ) {
            let together = paid(&earned, &expected, &owners, rule, &[0]);
            let shell = |(row, owner): (usize, &u32)| if *owner == 0 { 10 + row as u32 % shells } else { *owner };
            let split = owners.iter().enumerate().map(shell).collect::<Vec<_>>();
            let names = (10..10 + shells).collect::<Vec<_>>();
            let apart = paid(&earned, &expected, &split, rule, &names);
            prop_assert!(apart <= together * (1.0 + 1e-12), "{} {}", apart, together);
        }

        #[test]
        fn earning_more_never_pays_less_and_never_beyond_the_cap(
            (earned, expected, owners) in market(),
            rule in rule(),
            factor in 1.0_f64..100.0,
        ) {
            // The expectations of all are scaled by the total, which the owner's own earnings are part of:
            // what is promised holds with that held fixed, so another owner takes up the difference.
            let mut earned = earned;
            let mut expected = expected;
            let mut owners = owners;
            let own = |earned: &[f64], owners: &[u32]| {
                earned.iter().zip(owners).filter(|(_, owner)| **owner == 0).map(|(earned, _)| earned).sum::<f64>()
            };
            let raised = own(&earned, &owners) * (factor - 1.0);
            earned.push(raised);
            expected.push(1.0);
            owners.push(9);
            let before = paid(&earned, &expected, &owners, rule, &[0]);
            let ratio = {
                let scale = earned.iter().sum::<f64>() / expected.iter().sum::<f64>();
                own(&earned, &owners) / (scale * own(&expected, &owners))
            };
            let more = earned.iter().zip(&owners).map(|(earned, owner)| match owner {
                0 => earned * factor,
                9 => 0.0,
                _ => *earned,
            }).collect::<Vec<_>>();
            let after = paid(&more, &expected, &owners, rule, &[0]);
            prop_assert!(after >= before * (1.0 - 1e-9), "{} {}", after, before);
            let most = (rule.cap / ratio.min(rule.cap)).powf(rule.exponent);
            prop_assert!(after <= before * most * (1.0 + 1e-9), "{} {} {}", after, before, most);
        }

        #[test]
        fn the_rule_without_tempering_and_cap_changes_nothing((earned, expected, owners) in market()) {
            let weights = peer_weights(&earned, &expected, &owners, UNDEFENDED).unwrap();
            prop_assert!(weights.iter().all(|weight| *weight == 1.0));
        }

        #[test]
        fn own_earnings_do_not_change_what_is_expected(
            (earned, _, owners) in market(),
            features in prop::collection::vec(0.0_f32..1.0, 40),
            factor in 0.0_f64..10.0,
        ) {
            let labels = (0..owners.len() as u32).map(|row| row % 2).collect::<Vec<_>>();
            let records = Samples::new(&features[..owners.len()], 1, &labels).unwrap();
            let peers = Peers::nearest(records, &owners, 3).unwrap();
            let changed = earned.iter().zip(&owners).map(|(earned, owner)| {
                if *owner == 0 { earned * factor } else { *earned }
            }).collect::<Vec<_>>();
            let (before, after) = (peers.expected(&earned).unwrap(), peers.expected(&changed).unwrap());
            for ((before, after), owner) in before.iter().zip(&after).zip(&owners) {
                // A record without peers gets a difference of sums.
                prop_assert!(*owner != 0 || (before - after).abs() <= 1e-9 * before.abs().max(1.0));
            }
        }
    }
}
