use frame_support::assert_ok;
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{Alice, Bob};

use attribution_proof::{voucher::Voucher, ChannelId};

use crate::{mock::*, Channel, MAXIMUM_PAGE};

fn ids(page: &[(ChannelId, Channel)]) -> Vec<ChannelId> {
    page.iter().map(|(id, _)| *id).collect()
}

#[test]
fn success_pages_hold_each_channel_once() {
    build_and_execute(|| {
        // Channels 1 to 7 are Alice's with Bob, 8 is Charlie's with Bob, 9 Alice's with Dave.
        for _ in 1..=7 {
            open_channel();
        }
        for (payer, payee) in [(charlie(), bob()), (alice(), dave())] {
            assert_ok!(Channels::open(
                RuntimeOrigin::signed(payer),
                payee,
                None,
                500,
                100
            ));
        }
        let all = |page: &dyn Fn(Option<ChannelId>) -> Vec<(ChannelId, Channel)>| {
            let (mut all, mut after) = (vec![], None);
            loop {
                let page = page(after);
                assert!(page.len() <= 3);
                assert!(page.iter().all(|(id, channel)| stored(*id) == *channel));
                after = page.last().map(|(id, _)| *id);
                if after.is_none() {
                    break;
                }
                all.extend(ids(&page));
            }
            all.sort_unstable();
            all
        };
        assert_eq!(
            all(&|after| Channels::channels_of_payer(alice(), after, 3)),
            [1, 2, 3, 4, 5, 6, 7, 9]
        );
        assert_eq!(
            all(&|after| Channels::channels_of_payee(bob(), after, 3)),
            [1, 2, 3, 4, 5, 6, 7, 8]
        );
        assert_eq!(ids(&Channels::channels_of_payer(charlie(), None, 10)), [8]);
        assert_eq!(ids(&Channels::channels_of_payee(dave(), None, 10)), [9]);
        assert!(Channels::channels_of_payer(bob(), None, 10).is_empty());
        assert!(Channels::channels_of_payer(alice(), None, 0).is_empty());
    });
}

#[test]
fn success_a_page_is_bounded() {
    build_and_execute(|| {
        for _ in 0..=MAXIMUM_PAGE {
            assert_ok!(Balances::force_set_balance(
                RuntimeOrigin::root(),
                charlie(),
                ENDOWMENT
            ));
            assert_ok!(Channels::open(
                RuntimeOrigin::signed(charlie()),
                bob(),
                None,
                MINIMUM_DEPOSIT,
                100
            ));
        }
        let first = Channels::channels_of_payer(charlie(), None, u32::MAX);
        assert_eq!(first.len(), MAXIMUM_PAGE as usize);
        let last = first.last().map(|(id, _)| *id);
        assert_eq!(
            Channels::channels_of_payer(charlie(), last, u32::MAX).len(),
            1
        );
    });
}

#[test]
fn success_closable_at_follows_expiry_and_request() {
    build_and_execute(|| {
        assert_eq!(Channels::closable_at(1), None);
        let id = open_channel();
        assert_eq!(Channels::closable_at(id), Some(100 + DISPUTE_PERIOD));
        System::set_block_number(5);
        assert_ok!(Channels::request_close(RuntimeOrigin::signed(alice()), id));
        assert_eq!(Channels::closable_at(id), Some(5 + DISPUTE_PERIOD));
    });
}

#[test]
fn success_claimable_is_what_a_claim_pays() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::claim(
            &bob(),
            &signed(voucher(id, 2, 100), Alice),
            &pot()
        ));
        assert_eq!(
            Channels::claimable(signed(voucher(id, 3, 350), Alice)),
            Some(250)
        );
        let foreign = Voucher {
            genesis: H256::zero(),
            ..voucher(id, 3, 350)
        };
        for refused in [
            signed(voucher(id + 1, 3, 350), Alice),
            signed(foreign, Alice),
            signed(voucher(id, 2, 350), Alice),
            signed(voucher(id, 3, 100), Alice),
            signed(voucher(id, 3, 1_001), Alice),
            signed(voucher(id, 3, 350), Bob),
        ] {
            assert_eq!(Channels::claimable(refused), None);
        }
    });
}
