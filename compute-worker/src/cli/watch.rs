//! `watch`: is everything in a settlement true?

use super::{stop_on_signals, Global};
use crate::{
    ledger::StoredReceipt,
    watch::{Pursuit, Report, Verdict, Watcher},
};
use anyhow::{Context, Result};
use attribution_proof::{AccountId, SettlementId};
use clap::Args;
use codec::DecodeAll;
use serde_json::{json, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

/// Time between two looks at a demand that waits.
const DEMAND_POLL: Duration = Duration::from_secs(1);

/// Checks the receipts of a settlement, and challenges it if one is false.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  openledger-worker watch --settlement 4 --operator-url http://127.0.0.1:8080\n  openledger-worker --key //Charlie watch --settlement 4 --operator-url http://127.0.0.1:8080 --challenge\n  openledger-worker --key-file watcher.key watch --follow --operator-url https://operator.example --challenge"
)]
pub(super) struct Watch {
    /// The settlement.
    #[arg(long, required_unless_present = "follow")]
    settlement: Option<SettlementId>,
    /// Look at every settlement of the operator, until stopped.
    #[arg(long, conflicts_with = "settlement")]
    follow: bool,
    /// URL of the operator's HTTP API.
    #[arg(long)]
    operator_url: String,
    /// Account of the operator, for --follow. [default: the one that it names]
    #[arg(long)]
    operator: Option<AccountId>,
    /// A receipt as a payer keeps it when it is false; it counts beside what the operator shows.
    #[arg(long)]
    receipt: Vec<PathBuf>,
    /// Prove a lie on chain, or demand what is withheld. Either takes a bond, which a lie gives back.
    #[arg(long)]
    challenge: bool,
    /// Seconds between two looks at the chain.
    #[arg(long, default_value_t = 3)]
    poll: u64,
}

impl Watch {
    pub(super) async fn run(self, global: &Global) -> Result<()> {
        let chain = global.chain().await?;
        let folder = global.folder.join("watching");
        let mut watcher = Watcher::new(chain, global.store()?, &self.operator_url, folder)?;
        for path in &self.receipt {
            let bytes = std::fs::read(path)
                .with_context(|| format!("cannot read the receipt {}", path.display()))?;
            let receipt = StoredReceipt::decode_all(&mut &*bytes)
                .with_context(|| format!("{} is no stored receipt", path.display()))?;
            watcher.hold(receipt);
        }
        match self.settlement {
            Some(settlement) => self.once(global, &mut watcher, settlement).await,
            None => self.follow(global, &mut watcher).await,
        }
    }

    async fn once(
        &self,
        global: &Global,
        watcher: &mut Watcher,
        settlement: SettlementId,
    ) -> Result<()> {
        let mut pursuit = Pursuit::from(watcher.look(settlement).await?);
        let mut verdict = None;
        if self.challenge {
            let key = global.key()?;
            verdict = loop {
                match watcher.pursue(&key, &mut pursuit).await? {
                    None => tokio::time::sleep(DEMAND_POLL).await,
                    over => break over,
                }
            };
        }
        global.print(&describe(&pursuit, verdict.as_ref()))
    }

    async fn follow(&self, global: &Global, watcher: &mut Watcher) -> Result<()> {
        let key = self.challenge.then(|| global.key()).transpose()?;
        let operator = match &self.operator {
            Some(operator) => operator.clone(),
            None => watcher.account().await?,
        };
        let cancellation = stop_on_signals()?;
        let mut seen: BTreeSet<SettlementId> = BTreeSet::new();
        let mut pursuits: BTreeMap<SettlementId, Pursuit> = BTreeMap::new();
        tracing::info!(%operator, "watching");
        while !cancellation.is_cancelled() {
            for settlement in watcher.pending(&operator).await? {
                if !seen.insert(settlement) {
                    continue;
                }
                let pursuit = match watcher.look(settlement).await {
                    Ok(report) => Pursuit::from(report),
                    Err(error) => {
                        tracing::error!(settlement, %error, "a settlement cannot be checked yet");
                        seen.remove(&settlement);
                        continue;
                    }
                };
                if pursuit.report.findings.is_empty() || key.is_none() {
                    global.print(&describe(&pursuit, None))?;
                } else {
                    pursuits.insert(settlement, pursuit);
                }
            }
            if let Some(key) = &key {
                let mut over = Vec::new();
                for (settlement, pursuit) in &mut pursuits {
                    match watcher.pursue(key, pursuit).await {
                        Ok(None) => {}
                        Ok(Some(verdict)) => {
                            global.print(&describe(pursuit, Some(&verdict)))?;
                            over.push(*settlement);
                        }
                        Err(error) => {
                            tracing::error!(settlement, %error, "a settlement cannot be challenged");
                            over.push(*settlement);
                        }
                    }
                }
                pursuits.retain(|settlement, _| !over.contains(settlement));
            }
            tokio::time::sleep(Duration::from_secs(self.poll.max(1))).await;
        }
        Ok(())
    }
}

/// The findings of a look and what became of them, for people and scripts.
fn describe(pursuit: &Pursuit, verdict: Option<&Verdict>) -> Value {
    let Report {
        settlement,
        terms,
        findings,
        unchecked,
    } = &pursuit.report;
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "sequence": finding.sequence,
                "lie": format!("{:?}", finding.lie),
                "call": finding.proof.name(),
            })
        })
        .collect();
    let mut described = json!({
        "settlement": settlement,
        "channel": terms.channel,
        "operator": terms.operator.to_string(),
        "receipts": terms.to.sequence.saturating_sub(terms.from.sequence),
        "amount": terms.to.cumulative.saturating_sub(terms.from.cumulative).to_string(),
        "findings": findings,
        "unchecked": unchecked,
        "demands": pursuit.demands,
    });
    let mut set = |name: &str, value: Value| described[name] = value;
    match verdict {
        None => {}
        Some(Verdict::Stands) => set("verdict", "stands".into()),
        Some(Verdict::Gone) => set("verdict", "gone".into()),
        Some(Verdict::Voided { lie, call, block }) => {
            set("verdict", "voided".into());
            set("lie", format!("{lie:?}").into());
            set("call", (*call).into());
            set("block", (*block).into());
        }
        Some(Verdict::Rejected { call, block }) => {
            set("verdict", "rejected".into());
            set("call", (*call).into());
            set("block", (*block).into());
        }
    }
    described
}
