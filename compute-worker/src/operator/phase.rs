//! What is to be done about a job. The chain's state alone decides, so a worker that was killed goes
//! on where it stood.

use crate::chain::{Job, JobState, TrainedWeights};
use attribution_proof::{hash::Hash, AccountId, BlockNumber};

/// The next step of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It waits for an operator.
    Take,
    /// Wait until an epoch began after `taken_at`, then draw the seed of the batch order.
    DrawOrderSeed {
        /// When it was taken.
        taken_at: BlockNumber,
    },
    /// Train, store the artifact and the transcript, hand them in.
    Train {
        /// When it was taken.
        taken_at: BlockNumber,
        /// Seed of the batch order.
        order_seed: Hash,
    },
    /// Wait for a block whose randomness nobody knew when the transcript landed, then draw the seed
    /// of the projection.
    DrawProjectionSeed {
        /// When the transcript landed.
        landed_at: BlockNumber,
    },
    /// Compute the influence index, store it, hand it in.
    Index {
        /// When it was taken.
        taken_at: BlockNumber,
        /// What was trained.
        weights: TrainedWeights,
        /// Seed of the projection.
        projection_seed: Hash,
    },
    /// It can be challenged.
    Wait {
        /// The last block in which it can.
        window_end: BlockNumber,
    },
    /// Get paid; the model is registered.
    Finalise,
    /// The deadline has passed: the stake is lost, the job is ended.
    Expire,
}

impl Phase {
    /// The next step of `job` for `operator` when the best block is `best`. Nothing when the job is
    /// over or somebody else's.
    pub fn of(job: &Job, operator: &AccountId, best: BlockNumber) -> Option<Self> {
        if job
            .state
            .assignment()
            .is_some_and(|assignment| assignment.operator != *operator)
        {
            return None;
        }
        let late = |deadline: BlockNumber| best >= deadline;
        Some(match &job.state {
            JobState::Open { until } if late(*until) => return None,
            JobState::Open { .. } => Self::Take,
            JobState::Taken { assignment, .. } | JobState::Transcribed { assignment, .. }
                if late(assignment.deadline) =>
            {
                Self::Expire
            }
            JobState::Taken {
                assignment,
                order_seed: None,
            } => Self::DrawOrderSeed {
                taken_at: assignment.taken_at,
            },
            JobState::Taken {
                assignment,
                order_seed: Some(seed),
            } => Self::Train {
                taken_at: assignment.taken_at,
                order_seed: *seed,
            },
            JobState::Transcribed {
                at,
                projection_seed: None,
                ..
            } => Self::DrawProjectionSeed { landed_at: *at },
            JobState::Transcribed {
                assignment,
                weights,
                projection_seed: Some(seed),
                ..
            } => Self::Index {
                taken_at: assignment.taken_at,
                weights: weights.clone(),
                projection_seed: *seed,
            },
            JobState::Submitted { window_end, .. } if best < *window_end => Self::Wait {
                window_end: *window_end,
            },
            JobState::Submitted { .. } => Self::Finalise,
            JobState::Finalised { .. } | JobState::Refunded { .. } => return None,
        })
    }

    /// Name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::DrawOrderSeed { .. } => "draw_order_seed",
            Self::Train { .. } => "train",
            Self::DrawProjectionSeed { .. } => "draw_projection_seed",
            Self::Index { .. } => "index",
            Self::Wait { .. } => "wait",
            Self::Finalise => "finalise",
            Self::Expire => "expire",
        }
    }

    /// Whether it takes minutes to hours of computation.
    pub fn is_heavy(&self) -> bool {
        matches!(self, Self::Train { .. } | Self::Index { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Assignment, RefundCause};
    use attribution_proof::{
        licence::Terms,
        merkle::Commitment,
        model::{Committed, ModelKind},
    };

    const BEST: BlockNumber = 100;

    fn account(byte: u8) -> AccountId {
        AccountId::new([byte; 32])
    }

    fn assignment(deadline: BlockNumber) -> Assignment {
        Assignment {
            operator: account(1),
            taken_at: 10,
            deadline,
            stake: 5,
        }
    }

    fn weights() -> TrainedWeights {
        let transcript = Committed {
            commitment: Commitment::default(),
            content: [2; 32],
        };
        TrainedWeights {
            artifact: [1; 32],
            architecture: Hash::zero(),
            tokenizer: Hash::zero(),
            transcript,
            loss_before: 2,
            loss_after: 1,
        }
    }

    fn phase(state: JobState, who: u8) -> Option<Phase> {
        let job = Job {
            builder: account(9),
            kind: ModelKind::Base,
            inputs: Default::default(),
            hyper_parameters: [0; 32],
            previous: None,
            royalty: 0,
            price: 0,
            price_floor: 0,
            parents: Default::default(),
            terms: Terms::FREE,
            fee: 1,
            deposit: 0,
            ruleset: 0,
            state,
        };
        Phase::of(&job, &account(who), BEST)
    }

    fn transcribed(deadline: BlockNumber, projection_seed: Option<Hash>) -> JobState {
        JobState::Transcribed {
            assignment: assignment(deadline),
            order_seed: Hash::repeat_byte(3),
            at: 60,
            weights: weights(),
            projection_seed,
        }
    }

    #[test]
    fn success_every_state_has_its_step() {
        let seed = Hash::repeat_byte(3);
        let taken = |deadline, order_seed| JobState::Taken {
            assignment: assignment(deadline),
            order_seed,
        };
        assert_eq!(
            phase(JobState::Open { until: BEST + 1 }, 1),
            Some(Phase::Take)
        );
        assert_eq!(
            phase(taken(200, None), 1),
            Some(Phase::DrawOrderSeed { taken_at: 10 })
        );
        let train = Phase::Train {
            taken_at: 10,
            order_seed: seed,
        };
        assert_eq!(phase(taken(200, Some(seed)), 1), Some(train));
        let draw = Phase::DrawProjectionSeed { landed_at: 60 };
        assert_eq!(phase(transcribed(200, None), 1), Some(draw));
        let index = Phase::Index {
            taken_at: 10,
            weights: weights(),
            projection_seed: seed,
        };
        assert_eq!(phase(transcribed(200, Some(seed)), 1), Some(index));
    }

    #[test]
    fn success_late_foreign_and_ended_jobs_are_told_apart() {
        assert_eq!(
            phase(JobState::Open { until: BEST }, 1),
            None,
            "too late to take"
        );
        assert_eq!(phase(transcribed(BEST, None), 1), Some(Phase::Expire));
        assert_eq!(phase(transcribed(200, None), 2), None, "somebody else's");
        assert_eq!(phase(JobState::Finalised { model: 1 }, 1), None);
        assert_eq!(
            phase(
                JobState::Refunded {
                    cause: RefundCause::NotTaken
                },
                1
            ),
            None
        );
    }
}
