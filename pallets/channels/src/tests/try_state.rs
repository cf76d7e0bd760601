//! Each invariant fails when it should: the storage is spoilt and then rolled back.

use frame_support::{
    assert_ok, hypothetically,
    traits::{fungible::MutateHold, tokens::Precision, Hooks},
};

use crate::{mock::*, Channel, ChannelsOfPayee, ChannelsOfPayer, HoldReason, NextChannel};

fn spoil(id: u64, change: impl FnOnce(&mut Channel)) {
    crate::Channels::<Test>::mutate(id, |channel| {
        change(channel.as_mut().expect("the channel is open"));
    });
}

fn assert_broken(invariant: &str) {
    let error = Channels::do_try_state().expect_err("the state was spoilt");
    let message = format!("{error:?}");
    assert!(
        message.contains(invariant),
        "{message} is about {invariant}"
    );
}

#[test]
fn success_the_configuration_is_sound() {
    Channels::integrity_test();
}

#[test]
fn fails_when_deposits_are_not_what_is_held() {
    build_and_execute(|| {
        let id = open_channel();
        hypothetically!({
            spoil(id, |channel| channel.deposit += 1);
            assert_broken("invariant 1:");
        });
        hypothetically!({
            assert_ok!(Balances::release(
                &HoldReason::ChannelDeposit.into(),
                &alice(),
                1,
                Precision::Exact
            ));
            assert_broken("invariant 1:");
        });
    });
}

#[test]
fn fails_when_an_id_was_never_given_out() {
    build_and_execute(|| {
        open_channel();
        hypothetically!({
            NextChannel::<Test>::put(1);
            assert_broken("invariant 2:");
        });
    });
}

#[test]
fn fails_when_a_ruleset_is_not_known() {
    build_and_execute(|| {
        let id = open_channel();
        hypothetically!({
            spoil(id, |channel| channel.ruleset = 7);
            assert_broken("invariant 3:");
        });
    });
}

#[test]
fn fails_when_a_channel_ends_before_it_was_opened() {
    build_and_execute(|| {
        let id = open_channel();
        hypothetically!({
            spoil(id, |channel| channel.expiry = 1);
            assert_broken("invariant 4:");
        });
        hypothetically!({
            spoil(id, |channel| channel.closing = Some(1));
            assert_broken("invariant 4:");
        });
    });
}

#[test]
fn fails_when_a_mark_has_one_of_sequence_and_amount() {
    build_and_execute(|| {
        let id = open_channel();
        hypothetically!({
            spoil(id, |channel| channel.mark.sequence = 1);
            assert_broken("invariant 5:");
        });
        hypothetically!({
            spoil(id, |channel| channel.mark.cumulative = 1);
            assert_broken("invariant 5:");
        });
    });
}

#[test]
fn fails_when_the_indices_differ_from_the_channels() {
    build_and_execute(|| {
        let id = open_channel();
        hypothetically!({
            ChannelsOfPayer::<Test>::remove(alice(), id);
            assert_broken("invariant 6:");
        });
        hypothetically!({
            ChannelsOfPayee::<Test>::remove(bob(), id);
            assert_broken("invariant 6:");
        });
        hypothetically!({
            ChannelsOfPayer::<Test>::insert(charlie(), id, ());
            assert_broken("invariant 6:");
        });
        hypothetically!({
            ChannelsOfPayee::<Test>::insert(bob(), id + 1, ());
            assert_broken("invariant 6:");
        });
    });
}
