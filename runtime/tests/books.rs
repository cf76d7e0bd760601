//! What has to be true of a chain's state at any time.

use openledger_runtime::{
    constants::currency::TOTAL_SUPPLY, Attribution, Balances, Channels, Compute, Datanets, Models,
};

/// All OPEN are still there, and every pallet's storage is consistent.
pub(crate) fn check_books() {
    assert_eq!(
        Balances::total_issuance(),
        TOTAL_SUPPLY,
        "nothing mints and nothing burns"
    );
    for (pallet, state) in [
        ("datanets", Datanets::do_try_state()),
        ("models", Models::do_try_state()),
        ("compute", Compute::do_try_state()),
        ("channels", Channels::do_try_state()),
        ("attribution", Attribution::do_try_state()),
    ] {
        state.unwrap_or_else(|error| panic!("the books of {pallet}: {error:?}"));
    }
    // The SDK's pallets have their checks compiled in by this feature only.
    #[cfg(feature = "try-runtime")]
    <openledger_runtime::AllPalletsWithSystem as frame_support::traits::TryState<_>>::try_state(
        openledger_runtime::System::block_number(),
        frame_support::traits::TryStateSelect::All,
    )
    .expect("every pallet's storage is consistent");
}
