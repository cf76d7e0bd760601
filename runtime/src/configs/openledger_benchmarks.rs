//! What the benchmarks of compute, channels and attribution need from the other pallets. It is put
//! where the measured calls will look for it: through calls where the pallets' checks allow that,
//! otherwise straight into their storage.

use alloc::vec;

use attribution_proof::{
    bounds::MAX_SPDX,
    contribution::{snapshot_link, MediaType},
    hash::Hash,
    licence::{Licence, Terms},
    merkle::Commitment,
    model::{Manifest, ModelKind, Parents},
    split::Builders,
    AccountId, Balance, BlockNumber, ChannelId, ContributionId, DatanetId, ModelId,
};
use frame_support::traits::fungible::Mutate;
use frame_system::RawOrigin;
use pallet_attribution::ContributionView;
use pallet_compute::{Endpoint, Hardware, MAX_ENDPOINT, MAX_HARDWARE};
use pallet_datanets::{
    Acceptance, ContributionDetails, ContributionState, Curators, DatanetDetails, DatanetKind,
    Name, TermCounts, MAX_CURATORS, MAX_NAME,
};
use sp_core::{crypto::KeyTypeId, ecdsa};
use sp_runtime::{traits::IdentifyAccount, MultiSignature, MultiSigner};

use super::openledger::{Glue, ManifestDeposit};
use crate::{constants::currency::UNIT, Balances, Channels, Compute, Models, Runtime, System};

/// The type of the one key in the benchmarks' key store.
const KEY_TYPE: KeyTypeId = KeyTypeId(*b"bnch");

/// The key that signs: ECDSA, because that takes longest to verify.
fn key() -> ecdsa::Public {
    sp_io::crypto::ecdsa_generate(KEY_TYPE, Some(b"//Signer".to_vec()))
}

fn account_of_key() -> AccountId {
    MultiSigner::Ecdsa(key()).into_account()
}

fn sign_with_key(payload: &[u8]) -> MultiSignature {
    let signature = sp_io::crypto::ecdsa_sign(KEY_TYPE, &key(), payload);
    MultiSignature::Ecdsa(signature.expect("the key was just generated"))
}

fn fund(who: &AccountId, money: Balance) {
    Balances::mint_into(who, money).expect("the sum fits");
}

/// Registers an operator with the longest profile.
fn register_operator(who: &AccountId, bond: Balance) {
    fund(who, bond + UNIT);
    let mut endpoint = b"https://".to_vec();
    endpoint.resize(MAX_ENDPOINT as usize, b'a');
    Compute::register_operator(
        RawOrigin::Signed(who.clone()).into(),
        bond,
        Hardware::truncate_from(vec![b'1'; MAX_HARDWARE as usize]),
        Endpoint::truncate_from(endpoint),
    )
    .expect("the account has the bond and is no operator yet");
}

/// Stores a contribution that was accepted under the longest licence, with free terms.
fn accept(view: ContributionView) -> ContributionId {
    let id = pallet_datanets::NextContribution::<Runtime>::get();
    let mut details = ContributionDetails {
        datanet: view.datanet,
        contributor: view.contributor,
        leaves: view.leaves,
        bytes: view.leaves.count.into(),
        media: MediaType::Text,
        content: [1; 32],
        licence: Licence {
            spdx: vec![b'M'; MAX_SPDX as usize]
                .try_into()
                .expect("it is as long as it may be"),
            terms: Terms::FREE,
        },
        supersedes: None,
        ruleset: 0,
        stake: 0,
        held: 0,
        submitted_at: 0,
        state: ContributionState::Pending,
        tombstone: None,
        fallen_records: 0,
        open_demands: 0,
    };
    let object = details.object(id, view.index, view.records_before);
    details.state = ContributionState::Accepted(Acceptance {
        index: view.index,
        records_before: view.records_before,
        snapshot: snapshot_link(&Hash::zero(), &object),
        at: 0,
    });
    pallet_datanets::NextContribution::<Runtime>::put(id + 1);
    pallet_datanets::Accepted::<Runtime>::insert(view.datanet, view.index, id);
    pallet_datanets::Contributions::<Runtime>::insert(id, details);
    id
}

impl pallet_compute::BenchmarkHelper for Glue {
    fn datanet(contributor: &AccountId, leaves: Commitment) -> (DatanetId, ContributionId) {
        let datanet = pallet_datanets::NextDatanet::<Runtime>::get();
        let contribution = accept(ContributionView {
            datanet,
            index: 0,
            records_before: 0,
            leaves,
            contributor: contributor.clone(),
        });
        let head = pallet_datanets::Contributions::<Runtime>::get(contribution)
            .and_then(|details| details.acceptance())
            .expect("it was just accepted")
            .snapshot;
        let curators = vec![contributor.clone(); MAX_CURATORS as usize];
        pallet_datanets::NextDatanet::<Runtime>::put(datanet + 1);
        pallet_datanets::Datanets::<Runtime>::insert(
            datanet,
            DatanetDetails {
                owner: contributor.clone(),
                name: Name::truncate_from(vec![b'n'; MAX_NAME as usize]),
                kind: DatanetKind::Curated {
                    curators: Curators::truncate_from(curators),
                    threshold: MAX_CURATORS,
                },
                deposit: 0,
                length: 1,
                records: leaves.count,
                head,
                term_counts: TermCounts::default(),
            },
        );
        (datanet, contribution)
    }

    fn base_model(owner: &AccountId) -> ModelId {
        let model = pallet_models::NextModel::<Runtime>::get();
        fund(owner, ManifestDeposit::get());
        Models::register(
            RawOrigin::Signed(owner.clone()).into(),
            ModelKind::Base,
            [1; 32],
            Hash::repeat_byte(1),
            Hash::repeat_byte(1),
            Parents::default(),
            Terms::FREE,
            0,
            1,
            0,
            None,
        )
        .expect("the owner has the deposit");
        model
    }

    fn set_randomness_known_since(since: BlockNumber) {
        pallet_babe::EpochStart::<Runtime>::put((since, since));
        // The parent's randomness is always known since the parent.
        System::set_block_number(since + 1);
        pallet_babe::AuthorVrfRandomness::<Runtime>::put(Some([1; 32]));
    }
}

impl pallet_channels::BenchmarkHelper for Glue {
    fn operator() -> AccountId {
        let operator = account_of_key();
        register_operator(
            &operator,
            super::ruleset::FIRST_RULESET.compute.operator_bond,
        );
        operator
    }

    fn sign(operator: &AccountId, payload: &[u8]) -> MultiSignature {
        assert_eq!(*operator, account_of_key(), "only one account can sign");
        sign_with_key(payload)
    }
}

impl pallet_attribution::BenchmarkHelper for Glue {
    fn signer() -> AccountId {
        let signer = account_of_key();
        fund(&signer, UNIT);
        signer
    }

    fn sign(payload: &[u8]) -> MultiSignature {
        sign_with_key(payload)
    }

    fn open_channel(payer: &AccountId, payee: &AccountId, deposit: Balance) -> ChannelId {
        let channel = pallet_channels::NextChannel::<Runtime>::get();
        Channels::open(
            RawOrigin::Signed(payer.clone()).into(),
            payee.clone(),
            Some(account_of_key()),
            deposit,
            System::block_number() + pallet_channels::MAXIMUM_LIFETIME,
        )
        .expect("the payer has the deposit and the payee serves");
        channel
    }

    fn bond_operator(operator: &AccountId, bond: Balance) {
        register_operator(operator, bond);
    }

    fn insert_model(manifest: Manifest, builders: Builders) -> ModelId {
        let model = pallet_models::NextModel::<Runtime>::get();
        pallet_models::NextModel::<Runtime>::put(model + 1);
        pallet_models::Manifests::<Runtime>::insert(model, manifest);
        pallet_models::BuildersOf::<Runtime>::insert(model, builders);
        model
    }

    fn insert_contribution(contribution: ContributionView) -> ContributionId {
        accept(contribution)
    }
}
