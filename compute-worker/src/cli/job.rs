//! `job`: hyper-parameters, requests, and where jobs stand.

use super::Global;
use crate::{
    chain::{calls, Job, JobState, Wait},
    operator::Recipe,
};
use anyhow::{Context, Result};
use attribution_proof::{model::ModelKind, Balance, ContentId, DatanetId, JobId, ModelId};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(super) enum JobCommand {
    /// Write hyper-parameters to the content store and print their id.
    #[command(subcommand)]
    HyperParameters(HyperParameters),
    /// Request a training job.
    Request(Request),
    /// Show a job, or all.
    Show {
        /// The job; all of them if missing.
        job: Option<JobId>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum HyperParameters {
    /// Of a byte-level base model, trained from scratch.
    #[command(
        after_help = "Example:\n  openledger-worker job hyper-parameters base --hidden-size 128 --layers 4 --context 256 --steps 400"
    )]
    Base {
        /// Width.
        #[arg(long, default_value_t = 128)]
        hidden_size: usize,
        /// Layers.
        #[arg(long, default_value_t = 4)]
        layers: usize,
        /// Longest text in tokens.
        #[arg(long, default_value_t = 512)]
        context: usize,
        #[command(flatten)]
        training: Training,
    },
    /// Of an adapter over a base model.
    #[command(
        after_help = "Example:\n  openledger-worker job hyper-parameters adapter --rank 8 --steps 200"
    )]
    Adapter {
        /// Rank.
        #[arg(long, default_value_t = 8)]
        rank: usize,
        /// Numerator of the update's scale, whose denominator is the rank.
        #[arg(long, default_value_t = 16.0)]
        alpha: f64,
        #[command(flatten)]
        training: Training,
    },
}

/// What both kinds of training share. What is not given keeps its default.
#[derive(Debug, Args)]
pub(super) struct Training {
    /// Optimiser steps.
    #[arg(long, default_value_t = 200)]
    steps: u32,
    /// Sequences per step.
    #[arg(long)]
    batch_size: Option<usize>,
    /// Longest sequence in tokens.
    #[arg(long)]
    sequence_length: Option<usize>,
    /// Peak learning rate.
    #[arg(long)]
    learning_rate: Option<f64>,
}

impl Training {
    fn apply(&self, recipe: &mut Recipe) {
        let training = &mut recipe.training;
        training.batch_size = self.batch_size.unwrap_or(training.batch_size);
        training.sequence_length = self.sequence_length.unwrap_or(training.sequence_length);
        training.learning_rate = self.learning_rate.unwrap_or(training.learning_rate);
    }
}

impl HyperParameters {
    fn recipe(&self) -> Recipe {
        let (mut recipe, training) = match self {
            Self::Base {
                hidden_size,
                layers,
                context,
                training,
            } => (
                Recipe::base(*hidden_size, *layers, *context, training.steps),
                training,
            ),
            Self::Adapter {
                rank,
                alpha,
                training,
            } => (Recipe::adapter(*rank, *alpha, training.steps), training),
        };
        training.apply(&mut recipe);
        recipe
    }
}

/// Requests a training job.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  openledger-worker --key //Alice job request --datanets 1,2 --hyper-parameters 0x5c1f0e9d3ab8724651d0c8e7f3a2b49d6e8c07f1a5b3d2946078e1c3f5a7b9d0 --fee 1000000000000000000"
)]
pub(super) struct Request {
    /// Base of the adapter; a base model is trained if missing.
    #[arg(long)]
    base: Option<ModelId>,
    /// Datanets, in the order that numbers the records.
    #[arg(long, value_delimiter = ',', required = true)]
    datanets: Vec<DatanetId>,
    /// Content id that `job hyper-parameters` printed.
    #[arg(long, value_parser = content_id)]
    hyper_parameters: ContentId,
    /// The model that this will be the next version of.
    #[arg(long)]
    previous: Option<ModelId>,
    /// Royalty that the model will ask, in parts per billion.
    #[arg(long, default_value_t = 0)]
    royalty: u32,
    /// Asked price per token, in base units.
    #[arg(long, default_value_t = 0)]
    price: Balance,
    /// Least price per token, in base units.
    #[arg(long, default_value_t = 0)]
    price_floor: Balance,
    /// What the operator earns, in base units.
    #[arg(long)]
    fee: Balance,
}

/// Reads an id in hexadecimal, with or without `0x`.
fn content_id(text: &str) -> Result<ContentId, String> {
    let mut id = ContentId::default();
    hex::decode_to_slice(text.trim_start_matches("0x"), &mut id)
        .map_err(|error| format!("a content id has 64 hexadecimal digits: {error}"))?;
    Ok(id)
}

impl JobCommand {
    pub(super) async fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::HyperParameters(command) => {
                let recipe = command.recipe();
                // Operators would refuse it only after the job was paid for.
                recipe.validate(None)?;
                let id = global.store()?.put(recipe.to_json()?).await?;
                global.print(&serde_json::json!({
                    "content": format!("0x{}", hex::encode(id)),
                    "recipe": recipe,
                }))
            }
            Self::Request(request) => request.run(global).await,
            Self::Show { job } => {
                let chain = global.chain().await?;
                let jobs = match job {
                    Some(id) => vec![(
                        *id,
                        chain
                            .job(*id)
                            .await?
                            .with_context(|| {
                                format!("there is no job {id}; `job show` without a number lists those that are known")
                            })?,
                    )],
                    None => chain.jobs().await?,
                };
                for (id, job) in jobs {
                    global.print(&describe(id, &job))?;
                }
                Ok(())
            }
        }
    }
}

impl Request {
    async fn run(&self, global: &Global) -> Result<()> {
        let kind = self
            .base
            .map_or(ModelKind::Base, |base| ModelKind::Adapter { base });
        let call = calls::request_job(
            kind,
            self.datanets.clone(),
            self.hyper_parameters,
            self.previous,
            self.royalty,
            self.price,
            self.price_floor,
            self.fee,
        );
        let events = global
            .chain()
            .await?
            .submit(&global.key()?, &call, Wait::InBlock)
            .await?;
        let job = events
            .requested_job()
            .context("the chain announced no job")?;
        global.print(&serde_json::json!({ "job": job, "block": events.block }))
    }
}

fn describe(id: JobId, job: &Job) -> serde_json::Value {
    let (state, detail) = match &job.state {
        JobState::Open { until } => ("open", serde_json::json!({ "until": until })),
        JobState::Taken {
            assignment,
            order_seed,
        } => (
            "taken",
            serde_json::json!({
                "operator": assignment.operator.to_string(),
                "deadline": assignment.deadline,
                "has_order_seed": order_seed.is_some(),
            }),
        ),
        JobState::Transcribed {
            assignment,
            weights,
            projection_seed,
            ..
        } => (
            "transcribed",
            serde_json::json!({
                "operator": assignment.operator.to_string(),
                "deadline": assignment.deadline,
                "transcript": format!("{:?}", weights.transcript.commitment.root),
                "has_projection_seed": projection_seed.is_some(),
            }),
        ),
        JobState::Submitted {
            assignment,
            result,
            window_end,
            ..
        } => (
            "submitted",
            serde_json::json!({
                "operator": assignment.operator.to_string(),
                "window_end": window_end,
                "transcript": format!("{:?}", result.transcript.commitment.root),
                "rows": result.index.commitment.count,
            }),
        ),
        JobState::Finalised { model } => ("finalised", serde_json::json!({ "model": model })),
        JobState::Refunded { cause } => (
            "refunded",
            serde_json::json!({ "cause": format!("{cause:?}") }),
        ),
    };
    serde_json::json!({
        "job": id,
        "builder": job.builder.to_string(),
        "fee": job.fee.to_string(),
        "state": state,
        "detail": detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_options_replace_defaults() {
        let training = |learning_rate| Training {
            steps: 7,
            batch_size: Some(3),
            sequence_length: None,
            learning_rate,
        };
        let command = HyperParameters::Adapter {
            rank: 4,
            alpha: 8.0,
            training: training(Some(0.5)),
        };
        let recipe = command.recipe();
        assert_eq!((recipe.training.steps, recipe.training.batch_size), (7, 3));
        assert_eq!(recipe.training.learning_rate, 0.5);
        let defaults = Recipe::adapter(4, 8.0, 7);
        assert_eq!(
            recipe.training.sequence_length,
            defaults.training.sequence_length
        );
        assert_eq!(recipe.architecture, defaults.architecture);
    }

    #[test]
    fn fails_when_an_id_is_no_hash() {
        assert_eq!(
            content_id(
                &"0x"
                    .chars()
                    .chain("11".repeat(32).chars())
                    .collect::<String>()
            ),
            Ok([0x11; 32])
        );
        for text in ["", "0x12", "zz", &"11".repeat(33)] {
            assert!(content_id(text).is_err(), "{text}");
        }
    }
}
