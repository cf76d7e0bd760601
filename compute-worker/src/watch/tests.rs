//! Every lie is found, and only lies are.

use super::{
    check::{Case, Walk},
    exhibit,
    proof::{Finding, Proof},
    Lineage, Member,
};
use crate::{
    chain::{
        calls::{Answer, DemandRequest},
        Settlement,
    },
    keys::Key,
    ledger::StoredReceipt,
    serve::tests::{judged, Judged},
};
use attribution_proof::{
    challenge::{Lie, Mark},
    influence::credit_score,
    receipt::ReceiptDefect,
    totals::Totals,
    ContributionId, ModelId,
};
use clap::ValueEnum;
use lie::{Draft, Facts, LieKind};

#[path = "../../examples/forge/lie.rs"]
mod lie;

/// Signs what was changed.
fn sign(stored: &mut StoredReceipt, key: &Key) {
    stored.signed.signature = key.sign(stored.signed.receipt.commit().as_bytes());
}

/// The settlement that ends in `stored`.
fn settlement(judged: &Judged, stored: &StoredReceipt) -> Settlement {
    Settlement {
        to: Mark::after(&stored.signed.receipt),
        ..judged.settlement.clone()
    }
}

/// What a watcher finds in a settlement of these receipts; nothing stands for one that is withheld.
fn look(
    judged: &Judged,
    lineage: &Lineage,
    settlement: &Settlement,
    shown: &[Option<&StoredReceipt>],
    answers: &[Answer],
) -> Vec<Finding> {
    let case = Case {
        genesis: judged.genesis,
        settlement,
        ruleset: &judged.ruleset,
    };
    let mut walk = Walk::new(case, answers);
    for (sequence, stored) in (1..).zip(shown) {
        let Some(stored) = stored else {
            walk.withheld(sequence);
            continue;
        };
        assert!(case.is_signed(&stored.signed, sequence));
        let (signed, query) = (stored.signed.clone(), stored.query.clone());
        let exhibit = exhibit(signed, query, Some((*stored).clone()), answers);
        walk.judge(&exhibit, Some(lineage));
    }
    walk.findings
}

fn lies(findings: &[Finding]) -> Vec<Lie> {
    findings.iter().map(|finding| finding.lie).collect()
}

fn ineligible(judged: &Judged, draft: &Draft) -> Option<(ModelId, u32, ContributionId)> {
    let floor = judged.ruleset.receipt.floor();
    judged.lineage.models().iter().find_map(|member| {
        let query = draft.query.vector(member.model)?;
        let row = (0..member.rows).find(|row| {
            let opening = judged.lineage.open_row(member.model, *row).unwrap();
            credit_score(query, &opening.value, floor).is_none()
        })?;
        let owner = judged.lineage.owner(member.model, row)?;
        Some((member.model, row, owner))
    })
}

/// The honest receipt with one lie in it.
fn forge(judged: &Judged, lie: LieKind) -> StoredReceipt {
    let mut stored = judged.receipts[0].clone();
    let mut draft = Draft {
        receipt: stored.signed.receipt.clone(),
        query: stored.query.clone(),
        owners: stored.owners.clone(),
    };
    let facts = Facts {
        before: &Totals::default(),
        ruleset: &judged.ruleset,
        price_floor: judged.lineage.price_floor(),
        ineligible: ineligible(judged, &draft),
    };
    lie.tell(&mut draft, &facts).unwrap();
    stored.signed.receipt = draft.receipt;
    stored.query = draft.query;
    stored.owners = draft.owners;
    sign(&mut stored, &judged.key);
    stored
}

#[test]
fn success_honest_receipts_pass() {
    let judged = judged();
    let [first, second] = &judged.receipts;
    assert!(!first.signed.receipt.credits.is_empty() && !first.signed.receipt.spans.is_empty());
    let shown = [Some(first), Some(second)];
    let settlement = settlement(&judged, second);
    assert_eq!(look(&judged, &judged.lineage, &settlement, &shown, &[]), []);
    // The liar's way to make a receipt is the operator's, but for the lie.
    assert_eq!(
        forge(&judged, LieKind::None).signed.receipt,
        first.signed.receipt
    );
}

#[test]
fn success_every_lie_is_found_for_what_it_is() {
    let judged = judged();
    for lie in LieKind::value_variants() {
        let stored = forge(&judged, *lie);
        let mut settlement = settlement(&judged, &stored);
        let shown = match lie {
            LieKind::Withheld => None,
            LieKind::Equivocation => {
                settlement.to.receipt = attribution_proof::hash::Hash::zero();
                Some(&stored)
            }
            _ => Some(&stored),
        };
        let findings = look(&judged, &judged.lineage, &settlement, &[shown], &[]);
        let found = lies(&findings);
        assert_eq!(found.first().copied(), lie.proves(), "{lie:?}: {found:?}");
        // What a chain of receipts cannot follow from is seen by all that looks at the settlement.
        let call = findings.first().map(|finding| finding.proof.name());
        let expected = match lie {
            LieKind::None => None,
            LieKind::Chain | LieKind::Cumulative | LieKind::Equivocation => {
                Some("challenge_settlement")
            }
            LieKind::Price
            | LieKind::Version
            | LieKind::ForeignRow
            | LieKind::Owner
            | LieKind::Split
            | LieKind::Totals => Some("challenge_step"),
            LieKind::Score | LieKind::IneligibleRow | LieKind::Query => Some("challenge_score"),
            LieKind::OmittedRow => Some("challenge_omission"),
            LieKind::WrongBytes => Some("challenge_bytes"),
            LieKind::ShortSpan | LieKind::OmittedSpan => Some("challenge_span"),
            LieKind::Withheld => Some("demand"),
        };
        assert_eq!(call, expected, "{lie:?}");
    }
}

/// The second receipt, changed and signed again; the first is honest.
fn second(judged: &Judged, change: impl FnOnce(&mut StoredReceipt)) -> Vec<Finding> {
    let [first, second] = &judged.receipts;
    let mut changed = second.clone();
    change(&mut changed);
    sign(&mut changed, &judged.key);
    let settlement = settlement(judged, &changed);
    let shown = [Some(first), Some(&changed)];
    look(judged, &judged.lineage, &settlement, &shown, &[])
}

#[test]
fn success_a_later_receipt_is_judged_by_the_one_before_it() {
    let judged = judged();
    let findings = second(&judged, |stored| {
        stored.signed.receipt.previous = attribution_proof::hash::Hash::zero();
    });
    assert_eq!(lies(&findings), [Lie::BrokenChain]);
    let Proof::Step { previous, .. } = &findings[0].proof else {
        panic!("{:?}", findings[0].proof)
    };
    assert_eq!(previous.as_ref(), Some(&judged.receipts[0].signed));
    let findings = second(&judged, |stored| {
        stored.signed.receipt.totals = judged.receipts[0].signed.receipt.totals;
    });
    assert_eq!(lies(&findings), [Lie::WrongTotals]);
    assert_eq!(findings[0].sequence, 2);
}

#[test]
fn success_spans_are_the_earliest_and_do_not_overlap() {
    let judged = judged();
    // The record repeats its line, so the bytes stand there once more.
    let findings = second(&judged, |stored| {
        let span = &mut stored.signed.receipt.spans[0];
        assert_eq!(span.at.offset, 0);
        span.at.offset = span.length;
    });
    assert_eq!(lies(&findings), [Lie::BetterSpan]);
    let findings = second(&judged, |stored| {
        let span = stored.signed.receipt.spans[0];
        stored.signed.receipt.spans.try_push(span).unwrap();
        let last = *stored.owners.last().unwrap();
        stored.owners.push(last);
    });
    assert_eq!(findings[0].lie, Lie::Structure(ReceiptDefect::Spans));
}

#[test]
fn success_behind_a_withheld_receipt_the_rest_is_judged() {
    let judged = judged();
    let [_, second] = &judged.receipts;
    let mut changed = second.clone();
    changed.signed.receipt.credits[0].score += 1;
    sign(&mut changed, &judged.key);
    let settlement = settlement(&judged, &changed);
    let shown = [None, Some(&changed)];
    let findings = look(&judged, &judged.lineage, &settlement, &shown, &[]);
    assert_eq!(lies(&findings), [Lie::Withheld, Lie::WrongScore]);
    let demand = DemandRequest::Receipt { sequence: 1 };
    assert_eq!(findings[0].proof, Proof::Demand(demand));
}

#[test]
fn success_a_response_that_is_not_shown_is_demanded_and_judged_when_it_is() {
    let judged = judged();
    let stored = forge(&judged, LieKind::WrongBytes);
    let settlement = settlement(&judged, &stored);
    let mut other = stored.clone();
    other.response = b"something else".to_vec();
    let shown = [Some(&other)];
    let findings = look(&judged, &judged.lineage, &settlement, &shown, &[]);
    let demand = DemandRequest::ResponseChunk {
        receipt: stored.signed.clone(),
        index: 0,
    };
    assert_eq!(lies(&findings), [Lie::Withheld]);
    assert_eq!(findings[0].proof, Proof::Demand(demand));
    let answers = [Answer::ResponseChunk(stored.open_chunk(0).unwrap())];
    let findings = look(&judged, &judged.lineage, &settlement, &shown, &answers);
    assert_eq!(findings[0].lie, Lie::WrongBytes);
}

#[test]
fn success_rows_that_are_not_at_hand_are_demanded_and_judged_when_they_are() {
    let judged = judged();
    let stored = forge(&judged, LieKind::Score);
    let settlement = settlement(&judged, &stored);
    let members = judged
        .trainings
        .iter()
        .map(|(model, training)| Member::new(*model, training.clone(), Err("it is gone".into())));
    let blind = Lineage::new(judged.lineage.terms().clone(), members.collect());
    let shown = [Some(&stored)];
    let findings = look(&judged, &blind, &settlement, &shown, &[]);
    let receipt = &stored.signed.receipt;
    assert_eq!(
        findings.len(),
        receipt.credits.len(),
        "{:?}",
        lies(&findings)
    );
    let credit = receipt.credits[0];
    let demand = DemandRequest::Row {
        receipt: stored.signed.clone(),
        model: credit.model,
        row: credit.row,
    };
    assert_eq!(findings[0].proof, Proof::Demand(demand));
    let opening = judged.lineage.open_row(credit.model, credit.row).unwrap();
    let answers = [Answer::Row(opening)];
    let findings = look(&judged, &blind, &settlement, &shown, &answers);
    assert_eq!(findings[0].lie, Lie::WrongScore);
}

#[test]
fn success_two_receipts_with_one_number_are_an_equivocation() {
    let judged = judged();
    let [first, _] = &judged.receipts;
    let other = forge(&judged, LieKind::Score);
    let case = Case {
        genesis: judged.genesis,
        settlement: &judged.settlement,
        ruleset: &judged.ruleset,
    };
    let mut walk = Walk::new(case, &[]);
    walk.compare(&first.signed, &first.signed);
    assert_eq!(walk.findings, []);
    walk.compare(&first.signed, &other.signed);
    assert_eq!(lies(&walk.findings), [Lie::Equivocation]);
}

#[test]
fn fails_when_somebody_else_signed() {
    let judged = judged();
    let mut stored = judged.receipts[0].clone();
    let case = Case {
        genesis: judged.genesis,
        settlement: &judged.settlement,
        ruleset: &judged.ruleset,
    };
    assert!(case.is_signed(&stored.signed, 1));
    assert!(!case.is_signed(&stored.signed, 2), "another number");
    sign(&mut stored, &Key::from_secret("//Eve").unwrap());
    assert!(!case.is_signed(&stored.signed, 1));
}
