//! What the receipts of a model are judged by.

use super::WatchError;
use crate::{
    chain::Client,
    committed::{open_chunk, open_record, open_row, record, CommittedIndex},
    dataset::InputRecord,
    store::ContentStore,
    terms::ModelTerms,
};
use attribution_engine::{
    corpus::{cover, Corpus, CoverRules},
    scan::top_k,
};
use attribution_proof::{
    challenge::{IndexContext, LineageModel},
    influence::{Query, RowOpening},
    model::Training,
    receipt::{Credit, Receipt},
    record::{ChunkOpening, ChunkWindow, RecordOpening},
    ruleset::ReceiptRules,
    span::Span,
    Balance, ContributionId, ModelId,
};
use std::path::Path;

/// The rows and the bytes of one trained model.
pub(crate) struct Evidence {
    committed: CommittedIndex,
    corpus: Corpus,
}

/// A trained model of a lineage.
pub(crate) struct Member {
    model: ModelId,
    training: Training,
    evidence: Result<Evidence, String>,
}

impl Member {
    /// A model whose index and records are at hand, or the reason why not.
    pub(crate) fn new(
        model: ModelId,
        training: Training,
        committed: Result<CommittedIndex, String>,
    ) -> Self {
        let evidence = committed.and_then(|committed| {
            let corpus = Corpus::build(&committed.dataset.present());
            Ok(Evidence {
                corpus: corpus.map_err(|error| error.to_string())?,
                committed,
            })
        });
        Self {
            model,
            training,
            evidence,
        }
    }

    /// What the chain stores of its index.
    pub(crate) fn context(&self) -> IndexContext<'_> {
        IndexContext {
            model: self.model,
            job: self.training.job,
            spec: &self.training.result.spec,
            rows: &self.training.result.index.commitment,
        }
    }

    /// Opens a row; nothing where it does not exist or is not at hand.
    pub(crate) fn open_row(&self, row: u32) -> Option<RowOpening> {
        let CommittedIndex {
            index,
            dataset,
            tree,
        } = &self.evidence.as_ref().ok()?.committed;
        open_row(index, tree, dataset, row)
    }

    /// The record at an ordinal.
    pub(crate) fn record(&self, row: u32) -> Option<&InputRecord> {
        record(&self.evidence.as_ref().ok()?.committed.dataset, row)
    }

    /// Opens the record at an ordinal.
    pub(crate) fn open_record(&self, row: u32) -> Option<RecordOpening> {
        open_record(&self.evidence.as_ref().ok()?.committed.dataset, row)
    }

    /// Opens a chunk of the record at an ordinal.
    pub(crate) fn open_chunk(&self, row: u32, index: u32) -> Option<ChunkOpening> {
        open_chunk(&self.record(row)?.bytes, index)
    }

    /// Opens the chunks of `length` bytes from `offset` of the record at an ordinal.
    pub(crate) fn open_window(&self, row: u32, offset: u32, length: u32) -> Option<ChunkWindow> {
        let [first, last] = super::check::chunks(offset, length);
        Some(ChunkWindow {
            first: self.open_chunk(row, first)?,
            second: match last {
                last if last == first => None,
                last => Some(self.open_chunk(row, last)?),
            },
        })
    }
}

/// A model and its base, as the chain and the content store have them.
pub struct Lineage {
    terms: ModelTerms,
    /// Ascending by model.
    members: Vec<Member>,
}

impl Lineage {
    /// Fetches what receipts of `model` are judged by; nothing for a model that the chain does not
    /// know. Files of a moment go to `folder`.
    ///
    /// An index or a payload that is not in the store is no error: what it would show is demanded.
    pub async fn load(
        chain: &Client,
        store: &ContentStore,
        folder: &Path,
        model: ModelId,
    ) -> Result<Option<Self>, WatchError> {
        let Some(terms) = ModelTerms::read(chain, model).await? else {
            return Ok(None);
        };
        let mut members = Vec::new();
        for member in &terms.lineage {
            let model = member.model;
            let manifest = chain.manifest(model).await?;
            let Some(training) = manifest.and_then(|manifest| manifest.training) else {
                continue;
            };
            let committed = CommittedIndex::load(chain, store, folder, model, &training).await;
            let committed = committed.map_err(|error| error.to_string());
            members.push(Member::new(model, training, committed));
        }
        Ok(Some(Self::new(terms, members)))
    }

    pub(crate) fn new(terms: ModelTerms, mut members: Vec<Member>) -> Self {
        members.sort_by_key(|member| member.model);
        Self { terms, members }
    }

    pub(crate) fn terms(&self) -> &ModelTerms {
        &self.terms
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn member(&self, model: ModelId) -> Option<&Member> {
        self.members.iter().find(|member| member.model == model)
    }

    /// Why something cannot be judged, for each model that something is missing of.
    pub(crate) fn missing(&self) -> impl Iterator<Item = WatchError> + '_ {
        self.members.iter().filter_map(|member| {
            Some(WatchError::NotAtHand {
                model: member.model,
                reason: member.evidence.as_ref().err()?.clone(),
            })
        })
    }

    /// The models whose rows a receipt may credit, with the size of each index.
    pub fn models(&self) -> &[LineageModel] {
        &self.terms.lineage
    }

    /// Least price per token, in base units.
    pub fn price_floor(&self) -> Balance {
        self.terms.price_floor
    }

    /// Opens a row; nothing where it does not exist or is not at hand.
    pub fn open_row(&self, model: ModelId, row: u32) -> Option<RowOpening> {
        self.member(model)?.open_row(row)
    }

    /// The bytes of an input record that may be matched.
    pub fn text(&self, model: ModelId, row: u32) -> Option<&[u8]> {
        let record = self.member(model)?.record(row)?;
        (!record.absent).then_some(&*record.bytes)
    }

    /// The contribution that owns a row; nothing if there is no such row in the lineage.
    pub fn owner(&self, model: ModelId, row: u32) -> Option<ContributionId> {
        self.terms.owner(model, row)
    }

    /// The contributions that own the receipt's data, in their order; nothing if a datum does not exist.
    pub fn owners_of(&self, receipt: &Receipt) -> Option<Vec<ContributionId>> {
        self.terms.owners_of(receipt)
    }

    fn evidence(&self) -> Result<Vec<(ModelId, &Evidence)>, WatchError> {
        match self.missing().next() {
            Some(missing) => Err(missing),
            None => Ok(self
                .members
                .iter()
                .filter_map(|member| Some((member.model, member.evidence.as_ref().ok()?)))
                .collect()),
        }
    }

    /// The credits that a query calls for.
    pub fn credits(&self, query: &Query, rules: &ReceiptRules) -> Result<Vec<Credit>, WatchError> {
        let evidence = self.evidence()?;
        let indexes: Vec<_> = evidence
            .iter()
            .map(|(model, evidence)| (*model, &evidence.committed.index))
            .collect();
        // There is no member without rows, and a ruleset's `k` is in bounds.
        Ok(top_k(&indexes, query, rules.top_k as usize, rules.floor())?)
    }

    /// The spans of a response.
    pub fn spans(&self, response: &[u8], rules: &ReceiptRules) -> Result<Vec<Span>, WatchError> {
        let evidence = self.evidence()?;
        if response.is_empty() {
            return Ok(Vec::new());
        }
        let corpora: Vec<_> = evidence
            .iter()
            .map(|(model, evidence)| (*model, &evidence.corpus))
            .collect();
        Ok(cover(&corpora, response, CoverRules::from(rules))?)
    }
}
