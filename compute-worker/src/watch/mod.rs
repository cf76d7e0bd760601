//! Watching: is everything that an operator settles true?
//!
//! A [`Watcher`] fetches the receipts of a settlement from its operator, rebuilds all that they claim
//! from the chain and the content store, and finds every lie that the chain would punish. It trusts
//! nobody: what the operator shows counts only as far as its signature and the chain's commitments
//! reach, and what it does not show is demanded on chain.
//!
//! - [`Lineage`]: the rows and bytes that receipts of a model are judged by.
//! - [`Finding`] and [`Proof`]: a lie, with the transaction that proves it.

mod check;
mod error;
mod lineage;
mod proof;
#[cfg(test)]
mod tests;

pub use error::WatchError;
pub use lineage::Lineage;
#[cfg(test)]
pub(crate) use lineage::Member;
pub use proof::{Finding, Proof};

use crate::{
    chain::{calls, calls::Answer, Client, Demanded, Settlement, SettlementState, Wait},
    keys::Key,
    ledger::StoredReceipt,
    remote::RemoteOperator,
    store::ContentStore,
};
use attribution_proof::{
    challenge::Lie, hash::Hash, influence::Query, receipt::SignedReceipt, ruleset::Ruleset,
    AccountId, BlockNumber, ModelId, SettlementId,
};
use check::{Case, Exhibit, Walk};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};

/// Most demands that a settlement waits for at a time.
const MOST_DEMANDS: usize = 16;

/// What a look at a settlement found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The settlement.
    pub settlement: SettlementId,
    /// As the chain has it.
    pub terms: Settlement,
    /// The lies.
    pub findings: Vec<Finding>,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
}

impl Report {
    /// The first lie that can be proven at once.
    fn proof(&self) -> Option<&Finding> {
        let is_proof = |finding: &&Finding| !matches!(finding.proof, Proof::Demand(_));
        self.findings.iter().find(is_proof)
    }

    /// What has to be shown before more can be said.
    fn demanded(&self) -> Vec<Demanded> {
        let demanded = |finding: &Finding| finding.proof.demanded();
        self.findings.iter().filter_map(demanded).collect()
    }
}

/// How a settlement that was looked at ended up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing in it is a lie, as far as it was checked.
    Stands,
    /// It was voided by this watcher.
    Voided {
        /// What was proven.
        lie: Lie,
        /// Name of the call that proved it.
        call: &'static str,
        /// The block.
        block: BlockNumber,
    },
    /// The chain did not take the proof, and kept the bond.
    Rejected {
        /// Name of the call.
        call: &'static str,
        /// The block.
        block: BlockNumber,
    },
    /// It is gone from the chain: somebody else voided it, or it was paid out.
    Gone,
}

/// A settlement that is being challenged.
#[derive(Clone, Debug)]
pub struct Pursuit {
    /// What was found at the last look.
    pub report: Report,
    /// Demands that were sent, by number.
    pub demands: Vec<u64>,
    /// What an earlier look had demanded.
    waiting: Vec<Demanded>,
}

impl From<Report> for Pursuit {
    fn from(report: Report) -> Self {
        Self {
            report,
            demands: Vec::new(),
            waiting: Vec::new(),
        }
    }
}

/// Looks at what an operator settles.
pub struct Watcher {
    chain: Client,
    store: ContentStore,
    operator: RemoteOperator,
    folder: PathBuf,
    held: Vec<StoredReceipt>,
    lineages: HashMap<ModelId, Arc<Lineage>>,
}

/// What is at hand of one receipt.
struct Partial {
    signed: SignedReceipt,
    query: Option<Query>,
    stored: Option<StoredReceipt>,
}

impl Watcher {
    /// Watches the operator whose HTTP API is at `url`. Files of a moment go to `folder`.
    pub fn new(
        chain: Client,
        store: ContentStore,
        url: &str,
        folder: PathBuf,
    ) -> Result<Self, WatchError> {
        Ok(Self {
            chain,
            store,
            operator: RemoteOperator::new(url)?,
            folder,
            held: Vec::new(),
            lineages: HashMap::new(),
        })
    }

    /// Takes a receipt that somebody else got from the operator, such as a payer who was lied to.
    pub fn hold(&mut self, receipt: StoredReceipt) {
        self.held.push(receipt);
    }

    /// The account that the operator names as its own.
    pub async fn account(&self) -> Result<AccountId, WatchError> {
        let (genesis, account) = self.operator.identity().await?;
        if genesis == format!("{:?}", self.chain.genesis()) {
            return Ok(account);
        }
        Err(WatchError::OtherChain {
            url: self.operator.url().to_owned(),
            found: account,
            genesis,
        })
    }

    /// The settlements of `operator` that can be challenged, ascending.
    pub async fn pending(&self, operator: &AccountId) -> Result<Vec<SettlementId>, WatchError> {
        let settlements = self.chain.settlements().await?;
        let is_pending = |settlement: &Settlement| {
            settlement.operator == *operator && settlement.state == SettlementState::Pending
        };
        Ok(settlements
            .into_iter()
            .filter(|(_, settlement)| is_pending(settlement))
            .map(|(id, _)| id)
            .collect())
    }

    /// Fetches and checks everything in a settlement.
    pub async fn look(&mut self, id: SettlementId) -> Result<Report, WatchError> {
        let settlement = self.chain.settlement(id).await?;
        let settlement = settlement.ok_or(WatchError::NoSettlement(id))?;
        let ruleset = self.chain.ruleset(settlement.ruleset).await?;
        let ruleset = ruleset.ok_or(WatchError::NoRuleset(settlement.ruleset))?;
        let report = self.pass(id, &settlement, &ruleset, &[]).await?;
        if report.demanded().is_empty() {
            return Ok(report);
        }
        // Somebody may have demanded the same before.
        match self.chain.answers(id, settlement.opened_at).await {
            Ok(answers) if answers.is_empty() => Ok(report),
            Ok(answers) => self.pass(id, &settlement, &ruleset, &answers).await,
            Err(error) => {
                tracing::warn!(settlement = id, %error, "answers to demands cannot be read");
                Ok(report)
            }
        }
    }

    async fn pass(
        &mut self,
        id: SettlementId,
        settlement: &Settlement,
        ruleset: &Ruleset,
        answers: &[Answer],
    ) -> Result<Report, WatchError> {
        let case = Case {
            genesis: self.chain.genesis(),
            settlement,
            ruleset,
        };
        let mut walk = Walk::new(case, answers);
        let mut unchecked = Vec::new();
        for sequence in settlement.from.sequence.saturating_add(1)..=settlement.to.sequence {
            let partials = self
                .partials(&case, sequence, answers, &mut unchecked)
                .await;
            if let [first, second, ..] = partials.as_slice() {
                walk.compare(&first.signed, &second.signed);
            }
            let exhibits = partials.into_iter().filter_map(|partial| {
                let query = partial.query?;
                let admitted = partial.signed.receipt.ruleset == settlement.ruleset;
                admitted.then(|| exhibit(partial.signed, query, partial.stored, answers))
            });
            let mut exhibits: Vec<Exhibit> = exhibits.collect();
            exhibits.sort_by_key(|exhibit| !case.may_be_last(&exhibit.signed.receipt));
            let Some(exhibit) = exhibits.first() else {
                walk.withheld(sequence);
                continue;
            };
            let lineage = self.lineage(exhibit.signed.receipt.model).await?;
            if let Some(lineage) = &lineage {
                for missing in lineage.missing().map(|missing| missing.to_string()) {
                    if !unchecked.contains(&missing) {
                        unchecked.push(missing);
                    }
                }
            }
            walk.judge(exhibit, lineage.as_deref());
        }
        Ok(Report {
            settlement: id,
            terms: settlement.clone(),
            findings: walk.findings,
            unchecked,
        })
    }

    /// The receipts that the operator signed with this number: one, or more if it lied.
    async fn partials(
        &self,
        case: &Case<'_>,
        sequence: u64,
        answers: &[Answer],
        unchecked: &mut Vec<String>,
    ) -> Vec<Partial> {
        let fetched = self
            .operator
            .receipt(case.settlement.channel, sequence)
            .await;
        if let Err(error) = &fetched {
            unchecked.push(error.to_string());
        }
        let stored = self.held.iter().cloned().chain(fetched).map(|stored| {
            let query = stored.has_its_query().then(|| stored.query.clone());
            (stored.signed.clone(), query, Some(stored))
        });
        let answered = answers.iter().filter_map(|answer| match answer {
            Answer::Receipt { receipt, query } => {
                Some((receipt.clone(), Some(query.clone()), None))
            }
            _ => None,
        });
        let mut found: BTreeMap<Hash, Partial> = BTreeMap::new();
        for (signed, query, stored) in stored.chain(answered) {
            if !case.is_signed(&signed, sequence) {
                continue;
            }
            let partial = found
                .entry(signed.receipt.commit())
                .or_insert_with(|| Partial {
                    signed,
                    query: None,
                    stored: None,
                });
            partial.query = partial.query.take().or(query);
            partial.stored = partial.stored.take().or(stored);
        }
        found.into_values().collect()
    }

    /// What receipts of `model` are judged by; nothing if the chain does not know it.
    async fn lineage(&mut self, model: ModelId) -> Result<Option<Arc<Lineage>>, WatchError> {
        if let Some(known) = self.lineages.get(&model) {
            return Ok(Some(known.clone()));
        }
        let found = Lineage::load(&self.chain, &self.store, &self.folder, model).await?;
        let Some(lineage) = found.map(Arc::new) else {
            return Ok(None);
        };
        // What is missing now may be published later.
        if lineage.missing().next().is_none() {
            self.lineages.insert(model, lineage.clone());
        }
        Ok(Some(lineage))
    }

    /// Does what can be done now about what was found: proves a lie, or demands what is withheld and
    /// voids the settlement when nobody shows it in time. Nothing while that takes time: call it
    /// again.
    pub async fn pursue(
        &mut self,
        key: &Key,
        pursuit: &mut Pursuit,
    ) -> Result<Option<Verdict>, WatchError> {
        let id = pursuit.report.settlement;
        if self.chain.settlement(id).await?.is_none() {
            return Ok(Some(Verdict::Gone));
        }
        if !pursuit.waiting.is_empty() {
            match self.wait(key, id, &pursuit.waiting).await? {
                Progress::Over(verdict) => return Ok(Some(verdict)),
                Progress::Waiting => return Ok(None),
                Progress::Answered => {}
            }
            pursuit.report = self.look(id).await?;
            let wanted = pursuit.report.demanded();
            if pursuit.waiting.iter().any(|object| wanted.contains(object)) {
                return Err(WatchError::HiddenAnswer(id));
            }
            pursuit.waiting.clear();
        }
        if let Some(Finding { lie, proof, .. }) = pursuit.report.proof().cloned() {
            let call = proof.name();
            let events = proof.send(&self.chain, key, id).await?;
            let block = events.block;
            return Ok(Some(if events.is_rejected_challenge() {
                Verdict::Rejected { call, block }
            } else {
                Verdict::Voided { lie, call, block }
            }));
        }
        if pursuit.report.findings.is_empty() {
            return Ok(Some(Verdict::Stands));
        }
        let open = self.chain.demands(id).await?;
        let is_open = |object: &Demanded| open.values().any(|open| open.object == *object);
        let room = MOST_DEMANDS.saturating_sub(open.len());
        let mut sent = 0;
        for finding in &pursuit.report.findings {
            let Some(object) = finding.proof.demanded() else {
                continue;
            };
            if !is_open(&object) {
                if sent == room {
                    break;
                }
                let events = finding.proof.clone().send(&self.chain, key, id).await?;
                let number = events.number("Attribution", "Demanded", "demand");
                pursuit
                    .demands
                    .extend(number.and_then(|number| u64::try_from(number).ok()));
                sent += 1;
            }
            pursuit.waiting.push(object);
        }
        Ok(None)
    }

    /// Looks whether what was demanded is shown, and voids the settlement if it is not in time.
    async fn wait(
        &self,
        key: &Key,
        id: SettlementId,
        wanted: &[Demanded],
    ) -> Result<Progress, WatchError> {
        let mut open = self.chain.demands(id).await?;
        open.retain(|_, demand| wanted.contains(&demand.object));
        if open.is_empty() {
            return Ok(Progress::Answered);
        }
        let best = self.chain.best_block().await?;
        let Some((number, _)) = open.into_iter().find(|(_, demand)| best >= demand.deadline) else {
            return Ok(Progress::Waiting);
        };
        let call = calls::expire_demand(id, number);
        match self.chain.submit(key, &call, Wait::InBlock).await {
            Ok(events) => Ok(Progress::Over(Verdict::Voided {
                lie: Lie::Withheld,
                call: "expire_demand",
                block: events.block,
            })),
            // It was answered in the last moment, or somebody else was faster.
            Err(error)
                if error.is("Attribution", "UnknownDemand")
                    || error.is("Attribution", "UnknownSettlement") =>
            {
                Ok(Progress::Waiting)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// How a demand goes.
enum Progress {
    /// Nobody has answered, and there is time.
    Waiting,
    /// All that was wanted is shown.
    Answered,
    /// The settlement is void.
    Over(Verdict),
}

fn exhibit(
    signed: SignedReceipt,
    query: Query,
    stored: Option<StoredReceipt>,
    answers: &[Answer],
) -> Exhibit {
    let count = signed.receipt.response.count;
    let chunks = stored
        .filter(StoredReceipt::has_its_response)
        .map(|stored| {
            (0..count)
                .filter_map(|index| stored.open_chunk(index))
                .collect()
        });
    let mut exhibit = Exhibit {
        signed,
        query,
        chunks: chunks.unwrap_or_default(),
    };
    exhibit.add_chunks(answers);
    exhibit
}
