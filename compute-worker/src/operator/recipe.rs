//! Hyper-parameters of a job as they lie in the content store: what is built, and how it is trained.

use crate::{
    model::{AdapterConfig, LlamaConfig, ModelError},
    train::{HyperParameters, TrainError},
};
use attribution_proof::model::ModelKind;
use serde::{Deserialize, Serialize};

/// What is built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// A base model, trained from scratch on bytes.
    Base(LlamaConfig),
    /// An adapter over the job's base.
    Adapter(AdapterConfig),
}

/// The blob that a job names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What is built.
    pub architecture: Architecture,
    /// How it is trained.
    pub training: HyperParameters,
}

/// Why a recipe cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The blob is no recipe.
    #[error("the job's hyper-parameters are no recipe: {0}; `openledger-worker job hyper-parameters` writes one")]
    Format(serde_json::Error),
    /// It builds another kind than the job asks for.
    #[error("the recipe builds {recipe}, but the job asks for {job}")]
    Kind {
        /// What it builds.
        recipe: &'static str,
        /// What the job asks for.
        job: &'static str,
    },
    /// A number of the architecture makes no sense.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A number of the training makes no sense.
    #[error(transparent)]
    Train(#[from] TrainError),
}

impl Recipe {
    /// A byte-level base model.
    pub fn base(hidden_size: usize, layers: usize, context: usize, steps: u32) -> Self {
        let training = HyperParameters {
            sequence_length: context.min(256),
            ..HyperParameters::full(steps)
        };
        let config = LlamaConfig::byte_level(hidden_size, layers, context);
        Self {
            architecture: Architecture::Base(config),
            training,
        }
    }

    /// An adapter of all linear maps.
    pub fn adapter(rank: usize, alpha: f64, steps: u32) -> Self {
        Self {
            architecture: Architecture::Adapter(AdapterConfig::new(rank, alpha)),
            training: HyperParameters::adapter(steps),
        }
    }

    /// The blob.
    pub fn to_json(&self) -> Result<Vec<u8>, RecipeError> {
        serde_json::to_vec_pretty(self).map_err(RecipeError::Format)
    }

    /// Reads a blob for a job of `kind`. `context` is that of the job's base, if it has one.
    pub fn from_json(
        json: &[u8],
        kind: ModelKind,
        base: Option<&LlamaConfig>,
    ) -> Result<Self, RecipeError> {
        let recipe: Self = serde_json::from_slice(json).map_err(RecipeError::Format)?;
        let context = match (&recipe.architecture, kind, base) {
            (Architecture::Base(config), ModelKind::Base, _) => {
                config.validate()?;
                config.max_position_embeddings
            }
            (Architecture::Adapter(config), ModelKind::Adapter { .. }, Some(base)) => {
                config.validate()?;
                base.max_position_embeddings
            }
            (Architecture::Base(_), _, _) => {
                return Err(RecipeError::Kind {
                    recipe: "a base model",
                    job: "an adapter",
                });
            }
            (Architecture::Adapter(_), _, _) => {
                return Err(RecipeError::Kind {
                    recipe: "an adapter",
                    job: "a base model",
                });
            }
        };
        recipe.training.validate(context)?;
        Ok(recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAPTER: ModelKind = ModelKind::Adapter { base: 1 };

    #[test]
    fn success_a_recipe_survives_the_store() {
        let config = LlamaConfig::byte_level(64, 2, 128);
        for (recipe, kind) in [
            (Recipe::base(64, 2, 128, 10), ModelKind::Base),
            (
                Recipe {
                    training: HyperParameters {
                        sequence_length: 64,
                        ..HyperParameters::adapter(10)
                    },
                    ..Recipe::adapter(4, 8.0, 10)
                },
                ADAPTER,
            ),
        ] {
            let json = recipe.to_json().unwrap();
            assert_eq!(
                Recipe::from_json(&json, kind, Some(&config)).unwrap(),
                recipe
            );
        }
    }

    #[test]
    fn fails_when_it_is_no_recipe_or_one_of_another_kind_or_breaks_bounds() {
        let base = LlamaConfig::byte_level(64, 2, 128);
        let read = |json: &[u8], kind| Recipe::from_json(json, kind, Some(&base)).unwrap_err();
        assert!(matches!(
            read(b"{}", ModelKind::Base),
            RecipeError::Format(_)
        ));
        let full = Recipe::base(64, 2, 128, 10).to_json().unwrap();
        assert!(matches!(read(&full, ADAPTER), RecipeError::Kind { .. }));
        // Its sequences are longer than the base's context.
        let long = Recipe::adapter(4, 8.0, 10).to_json().unwrap();
        assert!(matches!(read(&long, ADAPTER), RecipeError::Train(_)));
        assert!(matches!(
            read(&long, ModelKind::Base),
            RecipeError::Kind { .. }
        ));
    }
}
