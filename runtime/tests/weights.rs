//! What the calls of our pallets weigh, against a block and against a plain transfer.

use frame_support::{
    dispatch::DispatchClass,
    weights::{constants::ParityDbWeight, Weight},
};
use openledger_runtime::Runtime;
use pallet_attribution::{WeightInfo as _, MAX_CLAIMS, MAX_PAGE};
use pallet_balances::WeightInfo as _;
use pallet_channels::WeightInfo as _;
use pallet_compute::WeightInfo as _;
use pallet_datanets::WeightInfo as _;
use pallet_models::WeightInfo as _;

/// A call and its weight, without what every extrinsic weighs.
struct Call {
    name: &'static str,
    weight: Weight,
}

/// The calls of a pallet, each with the largest argument that its weight depends on.
macro_rules! calls {
    ($($pallet:ident: $($call:ident($($argument:expr)?)),+;)+) => {
        vec![$($(Call {
            name: concat!(stringify!($pallet), ".", stringify!($call)),
            weight: <Runtime as $pallet::Config>::WeightInfo::$call($($argument)?),
        }),+),+]
    };
}

fn calls() -> Vec<Call> {
    calls! {
        pallet_datanets: create_open(), create_curated(), join_as_curator(), leave_as_curator(),
            contribute(), vote(), accept(), lapse(), withdraw(), release_stake(),
            challenge_duplicate(), challenge_malformed(), demand(), answer_demand(), expire_demand(),
            overrule();
        pallet_models: register(), set_price(), set_royalty(), retire(), void();
        pallet_compute: register_operator(), add_bond(), update_operator(), drain(), withdraw_bond(),
            request_job(), cancel_job(), take_job(), draw_order_seed(), submit_transcript(),
            draw_projection_seed(), submit_index(), challenge_row(), finalise_job(), expire_job(),
            forget_job();
        pallet_channels: open(), top_up(), extend(), request_close(), close(), close_cooperatively(),
            close_as_payee();
        pallet_attribution: add_ruleset(), settle(), finalise(), pay(MAX_PAGE), sweep(),
            claim(MAX_CLAIMS), claim_for(MAX_CLAIMS), challenge_score(), challenge_omission(),
            challenge_bytes(), challenge_span(), challenge_step(), challenge_settlement(),
            challenge_equivocation(), demand(), answer(), expire_demand();
    }
}

/// Prints the table when run with `--nocapture`.
#[test]
fn a_challenge_takes_less_than_a_twentieth_of_a_block() {
    let blocks = <Runtime as frame_system::Config>::BlockWeights::get();
    let normal = blocks.get(DispatchClass::Normal);
    let base = normal.base_extrinsic;
    let available = normal.max_total.expect("normal calls are bounded");
    let transfer = <Runtime as pallet_balances::Config>::WeightInfo::transfer_allow_death()
        .saturating_add(base);

    println!("share: of what normal calls may take of a block. transfers: times a plain transfer, both with the base of an extrinsic");
    println!("call                                            time, us  proof, bytes  share, %  transfers");
    for Call { name, weight } in calls() {
        let whole = weight.saturating_add(base);
        let share = whole.ref_time() as f64 / available.ref_time() as f64;
        println!(
            "{name:46} {:9.1} {:13} {:9.2} {:10.1}",
            weight.ref_time() as f64 / 1e6,
            weight.proof_size(),
            share * 100.0,
            whole.ref_time() as f64 / transfer.ref_time() as f64,
        );
        assert!(
            !name.contains("challenge") || share < 0.05,
            "{name} takes {share:.3} of a block"
        );
        assert!(whole.all_lte(available), "{name} does not fit into a block");
    }
}

/// A weight that was never measured, or whose storage was forgotten, would be next to nothing.
#[test]
fn every_call_pays_for_its_storage() {
    let write = ParityDbWeight::get().writes(1);
    for Call { name, weight } in calls() {
        assert!(
            weight.ref_time() > write.ref_time() && weight.proof_size() > 0,
            "{name} weighs only {weight:?}"
        );
    }
}
