//! Whether a node's runtime is one that this worker was built for.
//!
//! Types that the chain shares with the worker are decoded by their own codecs, not by the node's
//! description of them. So each call and each storage entry is compared with the description that the
//! worker was built with: a runtime upgrade that changes one gives a clear error, never a wrong number.

use codec::Decode;
use sp_core::crypto::{set_default_ss58_version, Ss58AddressFormat};
use std::sync::OnceLock;
use subxt::Metadata;

/// The runtime's metadata, which `openledger-client` makes types of. Written by `scripts/update-metadata.sh`.
pub(super) const METADATA: &[u8] = include_bytes!("../../../client/metadata.scale");

/// What a runtime is compared with. Nothing if the file in the source tree is damaged, which a test
/// rules out.
pub(super) fn expected() -> Option<&'static Metadata> {
    static EXPECTED: OnceLock<Option<Metadata>> = OnceLock::new();
    EXPECTED
        .get_or_init(|| Metadata::decode_from(METADATA).ok())
        .as_ref()
}

/// The prefix of OpenLedger's addresses.
pub(super) fn address_prefix() -> Option<u16> {
    let prefix = expected()?
        .pallet_by_name("System")?
        .constant_by_name("SS58Prefix")?;
    u16::decode(&mut prefix.value()).ok()
}

/// Makes this process write addresses with OpenLedger's prefix, and read them besides those of the
/// generic one. Call it once, before any address is read.
pub fn use_address_prefix() {
    if let Some(prefix) = address_prefix() {
        set_default_ss58_version(Ss58AddressFormat::custom(prefix));
    }
}

/// Whether a storage entry is stored as expected.
pub(super) fn has_storage(found: &Metadata, pallet: &str, entry: &str) -> bool {
    let hash = |metadata: &Metadata| metadata.pallet_by_name(pallet)?.storage_hash(entry);
    is_same(found, hash)
}

/// Whether a call takes what is expected.
pub(super) fn has_call(found: &Metadata, pallet: &str, call: &str) -> bool {
    let hash = |metadata: &Metadata| metadata.pallet_by_name(pallet)?.call_hash(call);
    is_same(found, hash)
}

fn is_same(found: &Metadata, hash: impl Fn(&Metadata) -> Option<[u8; 32]>) -> bool {
    expected()
        .and_then(&hash)
        .is_some_and(|expected| hash(found) == Some(expected))
}
