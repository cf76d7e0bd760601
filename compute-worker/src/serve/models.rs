//! The models that are served: weights, indexes and input bytes, from the chain and the content store.
//!
//! A base model is loaded once and answers for all adapters over it. Whatever is loaded is checked
//! against the chain's commitments, so a receipt built from it can be defended.

use crate::{
    artifact::{Artifact, ArtifactError},
    attribution::{gradient_space, TraceError, TracedModel},
    chain::{ChainError, Client, Standing},
    committed::{CommittedError, CommittedIndex},
    dataset::Dataset,
    generate::{EngineLimits, GenerateError, GenerationEngine},
    model::{
        Adapter, ModelError, ModelFolder, ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE, CONFIG_FILE,
        TOKENIZER_FILE, WEIGHTS_FILE,
    },
    store::{ContentStore, StoreError},
};
use attribution_proof::{
    challenge::LineageModel,
    model::{Manifest, ModelKind, Training},
    Balance, ModelId,
};
use candle_core::Device;
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// How long a model that could not be loaded is left alone.
const RETRY: Duration = Duration::from_secs(30);

/// Why a model cannot be served.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The content store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The weights' artifact.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The influence index and the input records.
    #[error(transparent)]
    Committed(#[from] CommittedError),
    /// The weights.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The influence index does not fit the model.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The engine that answers.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The chain has no such base.
    #[error("model {model} builds on model {base}, which is not on chain")]
    NoBase {
        /// The model.
        model: ModelId,
        /// Its base.
        base: ModelId,
    },
    /// Loading broke off.
    #[error("loading broke off: {0}")]
    BrokenOff(String),
}

/// What the answers of a trained model are traced with.
pub(super) struct Evidence {
    /// Index, preconditioner and corpus.
    pub(super) traced: TracedModel,
    /// The input records, for showing them.
    pub(super) dataset: Dataset,
}

/// One model of a lineage.
pub(super) struct Member {
    /// Its number.
    pub(super) model: ModelId,
    /// Its manifest.
    pub(super) manifest: Manifest,
    /// Its weights, for an adapter.
    pub(super) adapter: Option<Arc<Adapter>>,
    /// Nothing for weights that were brought from outside.
    pub(super) evidence: Option<Evidence>,
}

/// A model that is served.
#[derive(Clone)]
pub(super) struct Served {
    /// The model.
    pub(super) member: Arc<Member>,
    /// Its base, for an adapter.
    pub(super) base: Option<Arc<Member>>,
    /// What answers.
    pub(super) engine: Arc<GenerationEngine>,
}

impl Served {
    /// Name of the adapter in the engine.
    pub(super) fn adapter_name(&self) -> Option<String> {
        self.base.is_some().then(|| self.member.model.to_string())
    }

    /// The members that have an index, ascending by model.
    pub(super) fn lineage(&self) -> Vec<(&Member, &Evidence)> {
        let mut members: Vec<_> = std::iter::once(&self.member)
            .chain(&self.base)
            .filter_map(|member| Some((&**member, member.evidence.as_ref()?)))
            .collect();
        members.sort_by_key(|(member, _)| member.model);
        members
    }

    /// The same as the chain knows them.
    pub(super) fn lineage_models(&self) -> Vec<LineageModel> {
        let rows = |(member, evidence): (&Member, &Evidence)| LineageModel {
            model: member.model,
            // An index has fewer than 2^32 rows.
            rows: u32::try_from(evidence.traced.index.len()).unwrap_or(u32::MAX),
        };
        self.lineage().into_iter().map(rows).collect()
    }

    /// Price of an answer of so many tokens, prompt included, in base units.
    pub(super) fn price(&self, tokens: u64) -> Balance {
        let manifest = &self.member.manifest;
        manifest
            .price
            .max(manifest.price_floor)
            .saturating_mul(tokens.into())
    }
}

/// The models that this operator serves.
pub(super) struct Models {
    chain: Client,
    store: ContentStore,
    folder: PathBuf,
    limits: EngineLimits,
    /// All if empty.
    wanted: Vec<ModelId>,
    served: RwLock<BTreeMap<ModelId, Served>>,
}

impl Models {
    /// None yet: [`Self::refresh`] loads them. `folder` is for files of a moment.
    pub(super) fn new(
        chain: Client,
        store: ContentStore,
        folder: PathBuf,
        limits: EngineLimits,
        wanted: Vec<ModelId>,
    ) -> Self {
        Self {
            chain,
            store,
            folder,
            limits,
            wanted,
            served: RwLock::default(),
        }
    }

    /// A served model.
    pub(super) fn get(&self, model: ModelId) -> Option<Served> {
        self.served
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&model)
            .cloned()
    }

    /// A member of a served lineage.
    pub(super) fn member(&self, model: ModelId) -> Option<Arc<Member>> {
        let served = self.served.read().unwrap_or_else(PoisonError::into_inner);
        let mut members = served
            .values()
            .flat_map(|served| std::iter::once(&served.member).chain(&served.base));
        members.find(|member| member.model == model).cloned()
    }

    /// All served models, ascending.
    pub(super) fn all(&self) -> Vec<Served> {
        let served = self.served.read().unwrap_or_else(PoisonError::into_inner);
        served.values().cloned().collect()
    }

    fn insert(&self, served: Served) {
        let model = served.member.model;
        let mut all = self.served.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(model, served);
    }

    fn remove(&self, model: ModelId) -> bool {
        let mut all = self.served.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(&model).is_some()
    }

    /// A member that is loaded already, as a model of its own or as a base of one.
    fn loaded(&self, model: ModelId) -> Option<(Arc<Member>, Arc<GenerationEngine>)> {
        let served = self.served.read().unwrap_or_else(PoisonError::into_inner);
        served.values().find_map(|served| {
            let base = served.base.as_ref().unwrap_or(&served.member);
            (base.model == model).then(|| (base.clone(), served.engine.clone()))
        })
    }

    /// Loads models that are new on chain and drops voided ones. `failed` remembers those that could
    /// not be loaded, and when; they are tried again later.
    pub(super) async fn refresh(
        &self,
        failed: &mut HashMap<ModelId, Instant>,
    ) -> Result<(), ChainError> {
        failed.retain(|_, since| since.elapsed() < RETRY);
        // Bases have smaller numbers than what builds on them, so they come first.
        for (model, manifest) in self.chain.models().await? {
            if !self.wanted.is_empty() && !self.wanted.contains(&model) {
                continue;
            }
            let standing = self.chain.standing(model).await?;
            if standing == Some(Standing::Voided) && self.remove(model) {
                tracing::warn!(model, "the model was voided and is not served any more");
            }
            if standing != Some(Standing::Live)
                || self.get(model).is_some()
                || failed.contains_key(&model)
            {
                continue;
            }
            if !manifest.terms.commercial && manifest.price.max(manifest.price_floor) > 0 {
                tracing::warn!(model, "the model's licence forbids serving it for money");
                failed.insert(model, Instant::now());
                continue;
            }
            let begin = Instant::now();
            match self.load(model, manifest).await {
                Ok(served) => {
                    self.insert(served);
                    tracing::info!(
                        model,
                        seconds = begin.elapsed().as_secs_f64(),
                        "serving a model"
                    );
                }
                Err(error) => {
                    tracing::warn!(model, %error, "the model cannot be served");
                    failed.insert(model, Instant::now());
                }
            }
        }
        Ok(())
    }

    async fn load(&self, model: ModelId, manifest: Manifest) -> Result<Served, LoadError> {
        match manifest.kind {
            ModelKind::Base => {
                let (member, engine) = self.load_base(model, manifest).await?;
                Ok(Served {
                    member,
                    base: None,
                    engine,
                })
            }
            ModelKind::Adapter { base } => {
                let (base, engine) = match self.loaded(base) {
                    Some(loaded) => loaded,
                    None => {
                        let manifest = self.chain.manifest(base).await?;
                        let manifest = manifest.ok_or(LoadError::NoBase { model, base })?;
                        self.load_base(base, manifest).await?
                    }
                };
                let artifact = Artifact::load(&self.store, &manifest.artifact).await?;
                let adapter = Adapter::from_bytes(
                    artifact.file(ADAPTER_CONFIG_FILE)?,
                    artifact.file(ADAPTER_WEIGHTS_FILE)?,
                    engine.base().model.config(),
                    &Device::Cpu,
                )?;
                let name = model.to_string();
                engine.load_adapter(name.clone(), adapter)?;
                let adapter = engine.adapter(&name);
                let member = self.load_member(model, manifest, &engine, adapter).await?;
                Ok(Served {
                    member,
                    base: Some(base),
                    engine,
                })
            }
        }
    }

    async fn load_base(
        &self,
        model: ModelId,
        manifest: Manifest,
    ) -> Result<(Arc<Member>, Arc<GenerationEngine>), LoadError> {
        if let Some(loaded) = self.loaded(model) {
            return Ok(loaded);
        }
        let artifact = Artifact::load(&self.store, &manifest.artifact).await?;
        let folder = ModelFolder::from_bytes(
            artifact.file(CONFIG_FILE)?,
            artifact.file(WEIGHTS_FILE)?,
            artifact.file(TOKENIZER_FILE)?,
            &Device::Cpu,
        )?;
        let engine = Arc::new(GenerationEngine::start(folder, self.limits)?);
        let member = self.load_member(model, manifest, &engine, None).await?;
        Ok((member, engine))
    }

    /// Fetches and checks what the answers of `model` are traced with.
    async fn load_member(
        &self,
        model: ModelId,
        manifest: Manifest,
        engine: &Arc<GenerationEngine>,
        adapter: Option<Arc<Adapter>>,
    ) -> Result<Arc<Member>, LoadError> {
        let evidence = match &manifest.training {
            None => None,
            Some(training) => {
                let training = training.clone();
                let committed =
                    CommittedIndex::load(&self.chain, &self.store, &self.folder, model, &training)
                        .await?;
                let (engine, adapter) = (engine.clone(), adapter.clone());
                let evidence = tokio::task::spawn_blocking(move || {
                    evidence(model, &training, &engine, adapter.as_deref(), committed)
                })
                .await
                .unwrap_or_else(|error| Err(LoadError::BrokenOff(error.to_string())))?;
                Some(evidence)
            }
        };
        Ok(Arc::new(Member {
            model,
            manifest,
            adapter,
            evidence,
        }))
    }
}

fn evidence(
    model: ModelId,
    training: &Training,
    engine: &GenerationEngine,
    adapter: Option<&Adapter>,
    committed: CommittedIndex,
) -> Result<Evidence, LoadError> {
    let CommittedIndex { index, dataset, .. } = committed;
    let space = gradient_space(&engine.base().model, adapter)?;
    let seed = &training.result.spec.projection_seed;
    let traced = TracedModel::new(
        model,
        &space,
        index,
        &dataset.present(),
        dataset.owners(),
        seed,
    )?;
    if traced.index.spec(*seed, &traced.preconditioner) != training.result.spec {
        tracing::warn!(
            model,
            "the preconditioner differs from the one on chain in its last bits: another machine made it"
        );
    }
    Ok(Evidence { traced, dataset })
}
