//! The hash chain over a run, and everything that it fixes beforehand.

use attribution_proof::{
    hash::Hash,
    merkle::{Commitment, Tree},
    transcript::{transcript_leaf, TranscriptStart, TranscriptStep},
};
use candle_core::{cuda, Device};

/// Name of the kernels: candle's and our own operations. Changes whenever either could change a
/// result by a bit.
const KERNEL_SET: &str = "openledger 1, candle 0.11.1, gemm 0.19.0";

/// BLAKE3 of parts under a domain. Parts are length-prefixed.
pub(super) fn digest(domain: &str, parts: &[&[u8]]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key(&format!("OpenLedger training v1 {domain}"));
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    Hash::from(*hasher.finalize().as_bytes())
}

/// A seed for one purpose, drawn from the job's order seed, so that nobody chooses it.
pub fn derive_seed(order_seed: &Hash, purpose: &str) -> [u8; 32] {
    digest(purpose, &[order_seed.as_bytes()]).to_fixed_bytes()
}

/// What a run's bits depend on besides its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Kernels, in words.
    pub kernels: String,
    /// Device and instruction sets, in words.
    pub architecture: String,
    /// Precision flags: bit 0 reduced `f32`, bit 1 reduced `f16`, bit 2 reduced `bf16` products.
    pub precision: u32,
}

impl Environment {
    /// The environment of this process on a device.
    pub fn of(device: &Device) -> Self {
        let architecture = match device {
            Device::Cpu => format!("cpu {} {}", std::env::consts::ARCH, instruction_sets()),
            other => format!("{:?}", other.location()),
        };
        let flags = [
            cuda::gemm_reduced_precision_f32(),
            cuda::gemm_reduced_precision_f16(),
            cuda::gemm_reduced_precision_bf16(),
        ];
        let precision = flags
            .iter()
            .enumerate()
            .map(|(bit, &flag)| u32::from(flag) << bit)
            .sum();
        Self {
            kernels: KERNEL_SET.into(),
            architecture,
            precision,
        }
    }

    /// Hash that names the kernels.
    pub fn kernel_set(&self) -> Hash {
        digest("kernel set", &[self.kernels.as_bytes()])
    }

    /// Hash that names the architecture class.
    pub fn architecture_class(&self) -> Hash {
        digest("architecture class", &[self.architecture.as_bytes()])
    }
}

/// Instruction sets by which the matrix product chooses its kernel at run time.
#[cfg(target_arch = "x86_64")]
fn instruction_sets() -> String {
    let sets = [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ];
    sets.iter()
        .filter(|(_, present)| *present)
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join("+")
}

/// Instruction sets by which the matrix product chooses its kernel at run time.
#[cfg(not(target_arch = "x86_64"))]
fn instruction_sets() -> String {
    "baseline".into()
}

/// A run's transcript: what fixed it, and every step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// What fixed the run before its first step.
    pub start: TranscriptStart,
    /// Every step, from 1.
    pub steps: Vec<TranscriptStep>,
}

impl Transcript {
    /// `c_0, c_1, ..., c_T`.
    pub fn states(&self) -> Vec<Hash> {
        let mut states = vec![self.start.state()];
        for step in &self.steps {
            let next = step.state(&states[states.len() - 1]);
            states.push(next);
        }
        states
    }

    /// The tree over all states, for the commitment and for openings.
    pub fn tree(&self) -> Tree {
        Tree::new(
            (0u32..)
                .zip(self.states())
                .map(|(t, state)| transcript_leaf(t, &state))
                .collect(),
        )
    }

    /// The commitment that the chain keeps.
    pub fn commitment(&self) -> Commitment {
        self.tree().commitment()
    }
}
