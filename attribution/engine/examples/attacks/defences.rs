//! The defences that were tried.

use attribution_engine::{
    influence::methods::Matrix,
    shares::{peer_weights, quantile_cap, PeerRule, Peers},
};

use crate::{
    data::{owner_sums, Records},
    pay::Scores,
    Result,
};

/// The peers of a record, and the rule that was chosen.
pub(crate) const PEERS: usize = 40;
pub(crate) const RULE: PeerRule = PeerRule {
    exponent: 1.0,
    cap: 1.0,
};

/// What stands between scores and shares.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Defence {
    /// Nothing.
    None,
    /// In each query the positive scores above their quantile count as that (`poa shares --clip`).
    Clip(f64),
    /// Scores over the root of the self-influence: l-RelatIF (E. Barshan et al., *RelatIF: Identifying
    /// Explanatory Training Samples via Relative Influence*, AISTATS 2020).
    Relative,
    /// The same only for records whose self-influence is above this quantile, down to it.
    Leverage(f64),
    /// What an owner earns for each of its records, to this power.
    Tempered(f64),
    /// [`peer_weights`].
    Peers(usize, PeerRule),
    /// The same against an adversary under this many names.
    Shells(usize, PeerRule, u32),
}

impl Defence {
    pub(crate) fn all() -> Vec<Self> {
        let rule = |exponent, cap| PeerRule { exponent, cap };
        vec![
            Self::None,
            Self::Clip(0.9),
            Self::Relative,
            Self::Leverage(0.8),
            Self::Tempered(0.1),
            Self::Peers(usize::MAX, rule(0.0, 1.0)),
            Self::Peers(PEERS, rule(0.0, 1.0)),
            Self::Peers(PEERS, rule(0.5, f64::INFINITY)),
            Self::Peers(PEERS, rule(0.5, 1.1)),
            Self::Peers(PEERS, RULE),
            Self::Shells(PEERS, RULE, 4),
        ]
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::None => "none".into(),
            Self::Clip(part) => format!("scores clipped at quantile {part}"),
            Self::Relative => "over root of self-influence".into(),
            Self::Leverage(part) => format!("self-influence cut at quantile {part}"),
            Self::Tempered(power) => format!("pay per record ^{power}"),
            Self::Peers(usize::MAX, _) => "what the class earns".into(),
            Self::Peers(count, PeerRule { exponent: 0.0, .. }) => {
                format!("what {count} peers earn")
            }
            Self::Peers(count, PeerRule { exponent, cap }) => {
                format!("{count} peers, ^{exponent}, cap {cap}")
            }
            Self::Shells(_, _, names) => format!("  the same, adversary as {names} owners"),
        }
    }
}

/// What a defence may look at: held-out reference queries and the training records, not the queries that
/// pay.
pub(crate) struct Evidence<'a> {
    pub(crate) records: &'a Records,
    pub(crate) owners: &'a [u32],
    pub(crate) adversary: u32,
    pub(crate) reference: &'a Scores,
    pub(crate) self_influence: &'a [f64],
}

/// A defence, ready to be applied.
pub(crate) enum Armed {
    Clip(f64),
    Weights(Vec<f64>),
}

impl Armed {
    pub(crate) fn new(defence: Defence, evidence: &Evidence<'_>) -> Result<Self> {
        let n = evidence.owners.len();
        let roots = || {
            evidence
                .self_influence
                .iter()
                .map(|own| own.max(1e-12).sqrt())
        };
        let earned = || evidence.reference.earned(|scores| Ok(scores.to_vec()));
        let peers = |count: usize, rule: PeerRule, owners: &[u32]| -> Result<Vec<f64>> {
            let earned = earned()?;
            let peers = Peers::nearest(evidence.records.samples()?, owners, count)?;
            Ok(peer_weights(
                &earned,
                &peers.expected(&earned)?,
                owners,
                rule,
            )?)
        };
        Ok(Self::Weights(match defence {
            Defence::None => vec![1.0; n],
            Defence::Clip(part) => return Ok(Self::Clip(part)),
            Defence::Relative => roots().map(f64::recip).collect(),
            Defence::Leverage(part) => {
                let roots = roots().collect::<Vec<_>>();
                let cap = quantile_cap(&roots, part)?.ok_or("no record has any self-influence")?;
                roots.iter().map(|root| (cap / root).min(1.0)).collect()
            }
            Defence::Tempered(power) => {
                let counts = owner_sums(evidence.owners, &vec![1.0; n]);
                let sums = owner_sums(evidence.owners, &earned()?);
                let weight = |owner: &u32| {
                    let owner = *owner as usize;
                    (sums[owner] * n as f64 / counts[owner]).powf(power - 1.0)
                };
                evidence.owners.iter().map(weight).collect()
            }
            Defence::Peers(count, rule) => peers(count, rule, evidence.owners)?,
            Defence::Shells(count, rule, names) => {
                let mut next = 0;
                let owners = evidence
                    .owners
                    .iter()
                    .map(|owner| {
                        if *owner != evidence.adversary {
                            return *owner;
                        }
                        next = (next + 1) % names;
                        u32::MAX - next
                    })
                    .collect::<Vec<_>>();
                peers(count, rule, &owners)?
            }
        }))
    }

    /// The scores of one query as they are paid.
    pub(crate) fn apply(&self, scores: &[f64]) -> Result<Vec<f64>> {
        Ok(match self {
            Self::Weights(weights) => scores
                .iter()
                .zip(weights)
                .map(|(score, weight)| score * weight)
                .collect(),
            Self::Clip(part) => {
                let cap = quantile_cap(scores, *part)?.unwrap_or(f64::INFINITY);
                scores.iter().map(|score| score.min(cap)).collect()
            }
        })
    }

    /// All scores as they are paid, `q x n`.
    pub(crate) fn apply_all(&self, scores: &Matrix) -> Result<Matrix> {
        let mut values = Vec::with_capacity(scores.values().len());
        for query in 0..scores.rows() {
            values.extend(self.apply(scores.row(query))?);
        }
        Ok(Matrix::new(values, scores.rows(), scores.columns())?)
    }
}
