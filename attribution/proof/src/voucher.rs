//! Vouchers: the payer's growing promise.

use crate::{
    hash::{preimage, Hash, Tag},
    AccountId, Balance, ChannelId,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{traits::Verify, MultiSignature};

/// Whether `signer` signed `payload`, raw or in the `<Bytes>` wrapper that wallets put around
/// everything that is not a transaction.
pub fn verify_raw_or_wrapped(
    signature: &MultiSignature,
    payload: &[u8],
    signer: &AccountId,
) -> bool {
    signature.verify(payload, signer)
        || signature.verify(
            [b"<Bytes>".as_slice(), payload, b"</Bytes>"]
                .concat()
                .as_slice(),
            signer,
        )
}

/// "The payee may claim up to `cumulative` of this channel, for the answers up to `receipt`."
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Voucher {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The channel.
    pub channel: ChannelId,
    /// Sequence of the last receipt that it pays for.
    pub sequence: u64,
    /// Sum of the prices so far, in base units.
    pub cumulative: Balance,
    /// Hash of that receipt.
    pub receipt: Hash,
}

impl Voucher {
    /// The bytes to sign: `tag ‖ version ‖ genesis ‖ channel ‖ sequence ‖ cumulative ‖ receipt`.
    pub fn payload(&self) -> Vec<u8> {
        preimage(Tag::Voucher, &self.encode())
    }
}

/// A voucher with the signature of the channel's authorised signer.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SignedVoucher {
    /// The voucher.
    pub voucher: Voucher,
    /// Signature over [`Voucher::payload`], raw or in the wallets' wrapper.
    pub signature: MultiSignature,
}

impl SignedVoucher {
    /// Whether `signer` signed the voucher.
    pub fn is_signed_by(&self, signer: &AccountId) -> bool {
        verify_raw_or_wrapped(&self.signature, &self.voucher.payload(), signer)
    }
}

/// Consent of the payee to close a channel at once, everything being settled.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct CooperativeClose {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The channel.
    pub channel: ChannelId,
    /// The cumulative amount at which it closes.
    pub cumulative: Balance,
}

impl CooperativeClose {
    /// The bytes to sign.
    pub fn payload(&self) -> Vec<u8> {
        preimage(Tag::CooperativeClose, &self.encode())
    }
}
