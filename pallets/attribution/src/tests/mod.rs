//! A module for each call, one for what all challenges share, and one for conservation.

mod add_ruleset;
mod answer;
mod challenge;
mod challenge_bytes;
mod challenge_equivocation;
mod challenge_omission;
mod challenge_score;
mod challenge_settlement;
mod challenge_span;
mod challenge_step;
mod claim;
mod conservation;
mod demand;
mod expire_demand;
mod finalise;
mod pay;
mod settle;
mod sweep;
mod views;
pub(crate) mod world;

use crate::{mock::*, Event, Rejection};
use attribution_proof::{challenge::Lie, split::portion, SettlementId};
use frame_support::{assert_ok, dispatch::DispatchResult};

/// The origin of somebody who looks closely.
fn challenger_origin() -> RuntimeOrigin {
    RuntimeOrigin::signed(challenger())
}

/// Checks that a challenge proves `lie`: the payer has everything back, the operator is slashed, the
/// challenger rewarded, the channel still settled.
fn assert_proves(id: SettlementId, lie: Lie, challenge: impl FnOnce() -> DispatchResult) {
    let settlement = Attribution::settlement(id).unwrap();
    let (had, treasury) = (free(&challenger()), free(&TREASURY));
    let bond = Bonds::get(&settlement.operator);
    let refund = world::accrued(&settlement.payer, id, None);
    events();
    assert_ok!(challenge());
    assert!(events().contains(&Event::Voided {
        settlement: id,
        channel: settlement.channel,
        operator: settlement.operator.clone(),
        payer: settlement.payer.clone(),
        lie,
        challenger: challenger(),
        refunded: settlement.amount(),
        slashed: LIE_SLASH,
    }));
    let reward = portion(LIE_SLASH, CHALLENGER_REWARD);
    assert_eq!(Attribution::settlement(id), None);
    assert_eq!(
        world::accrued(&settlement.payer, id, None),
        refund + settlement.amount()
    );
    assert_eq!(Bonds::get(&settlement.operator), bond - LIE_SLASH);
    assert_eq!(free(&challenger()), had + reward);
    assert_eq!(free(&TREASURY), treasury + LIE_SLASH - reward);
    assert_eq!(
        StoredChannels::get(settlement.channel).unwrap().mark,
        settlement.to
    );
}

/// Checks that a challenge proves nothing, for `reason`: it costs its sender and nobody else.
fn assert_rejects(id: SettlementId, reason: Rejection, challenge: impl FnOnce() -> DispatchResult) {
    let settlement = Attribution::settlement(id);
    let operator_bond = Bonds::get(operator());
    let (had, treasury) = (free(&challenger()), free(&TREASURY));
    events();
    assert_ok!(challenge());
    assert_eq!(
        events(),
        [Event::ChallengeRejected {
            settlement: id,
            challenger: challenger(),
            bond: CHALLENGE_BOND,
            reason,
        }]
    );
    assert_eq!(Attribution::settlement(id), settlement);
    assert_eq!(Bonds::get(operator()), operator_bond);
    assert_eq!(free(&challenger()), had - CHALLENGE_BOND);
    assert_eq!(free(&TREASURY), treasury + CHALLENGE_BOND);
}
