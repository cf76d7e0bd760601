//! What the chain says about a model, for whoever checks its receipts without weights or records.

use crate::{
    chain::{ChainError, Client},
    dataset::{sources, DatasetError},
};
use attribution_proof::{
    challenge::LineageModel, receipt::Receipt, Balance, ContributionId, ModelId,
};
use std::collections::BTreeMap;

/// Why the terms of a model cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TermsError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// What the chain says about a model's inputs.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The chain contradicts itself.
    #[error("the index of model {model} has {rows} rows but its inputs have {records} records; the node's state is damaged, use another node")]
    Rows {
        /// The model.
        model: ModelId,
        /// Rows of its index.
        rows: u32,
        /// Records of its inputs.
        records: usize,
    },
}

/// What the chain says about a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelTerms {
    /// Its version.
    pub(crate) version: u32,
    /// Whether it may be served for money.
    pub(crate) is_commercial: bool,
    /// Asked price per token, in base units; not under the floor.
    pub(crate) price: Balance,
    /// Least price per token, in base units.
    pub(crate) price_floor: Balance,
    /// The indexed models whose rows its answers may credit.
    pub(crate) lineage: Vec<LineageModel>,
    /// The contribution that owns each of their rows.
    pub(crate) owners: BTreeMap<ModelId, Vec<ContributionId>>,
}

impl ModelTerms {
    /// Reads what the chain says about `model`; nothing for an unknown one.
    pub(crate) async fn read(client: &Client, model: ModelId) -> Result<Option<Self>, TermsError> {
        let Some(manifest) = client.manifest(model).await? else {
            return Ok(None);
        };
        let mut terms = Self {
            version: manifest.version,
            is_commercial: manifest.terms.commercial,
            price: manifest.price.max(manifest.price_floor),
            price_floor: manifest.price_floor,
            lineage: Vec::new(),
            owners: BTreeMap::new(),
        };
        for member in client.lineage(model).await? {
            let manifest = client.manifest(member).await?;
            let Some(training) = manifest.and_then(|manifest| manifest.training) else {
                continue;
            };
            let mut owners: Vec<ContributionId> = Vec::new();
            for snapshot in &training.inputs {
                for source in sources(client, snapshot).await? {
                    let records = source.details.leaves.count;
                    owners.extend((0..records).map(|_| source.contribution));
                }
            }
            let rows = training.result.index.commitment.count;
            if u32::try_from(owners.len()) != Ok(rows) {
                return Err(TermsError::Rows {
                    model: member,
                    rows,
                    records: owners.len(),
                });
            }
            terms.lineage.push(LineageModel {
                model: member,
                rows,
            });
            terms.owners.insert(member, owners);
        }
        Ok(Some(terms))
    }

    /// The contribution that owns a row; nothing if there is no such row in the lineage.
    pub(crate) fn owner(&self, model: ModelId, row: u32) -> Option<ContributionId> {
        self.owners
            .get(&model)?
            .get(usize::try_from(row).ok()?)
            .copied()
    }

    /// The contributions that own the receipt's data, in their order; nothing if a datum does not exist.
    pub(crate) fn owners_of(&self, receipt: &Receipt) -> Option<Vec<ContributionId>> {
        receipt
            .data()
            .map(|(model, row)| self.owner(model, row))
            .collect()
    }

    /// Whether the receipt is for the version that the chain has, and not for money where the model's
    /// licence forbids that.
    pub(crate) fn may_sell(&self, receipt: &Receipt) -> bool {
        receipt.version == self.version && (receipt.price == 0 || self.is_commercial)
    }
}
