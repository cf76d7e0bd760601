//! A dishonest operator, for demonstrations and tests.
//!
//! Takes an honest receipt, makes it the next one of a channel, falsifies one thing, signs it, settles
//! it, and shows it to whoever watches. A settlement takes a voucher too: in this story the payer was
//! deceived, as one is who does not check what it signs, or gets a part of the gain. So the payer's key
//! is needed beside the operator's; on a development chain everybody has both.
//!
//! ```text
//! cargo run --release --example forge -- --operator-url http://127.0.0.1:8080 --channel 1 --sequence 1 \
//!     --operator-key //Dave --payer-key //Eve --store openledger-worker/store --lie score
//! ```
//!
//! prints `{"settlement":1,"lie":"score","proves":"WrongScore","url":"http://127.0.0.1:40123", …}` and
//! serves the raw receipt at that URL until it is ended. `openledger-worker watch --settlement 1
//! --operator-url http://127.0.0.1:40123 --challenge` then voids the settlement.

mod lie;

use anyhow::{ensure, Context, Result};
use attribution_proof::{
    influence::{credit_score, Row},
    receipt::{response_tree, Receipt, SignedReceipt},
    ruleset::Ruleset,
    totals::Totals,
    voucher::{SignedVoucher, Voucher},
    ChannelId, ContributionId, ModelId,
};
use axum::{
    extract::{Path as UrlPath, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
    Router,
};
use clap::{Parser, ValueEnum};
use codec::{DecodeAll, Encode};
use lie::{Draft, Facts, LieKind};
use openledger_worker::{
    chain::{calls, Client, Wait},
    keys::Key,
    ledger::{Ledger, StoredReceipt},
    store::ContentStore,
    watch::Lineage,
};
use serde_json::json;
use std::{path::PathBuf, sync::Arc};

/// Bytes of the record that `--copy` answers with.
const COPIED: usize = 96;

/// A dishonest operator: settles a receipt with one lie in it.
#[derive(Debug, Parser)]
struct Arguments {
    /// WebSocket URL of a node.
    #[arg(long, default_value = "ws://127.0.0.1:9944")]
    node: String,
    /// Content store with the model's index and records.
    #[arg(long)]
    store: String,
    /// Get the honest receipt from the operator at this URL.
    #[arg(long, required_unless_present = "ledger", conflicts_with = "ledger")]
    operator_url: Option<String>,
    /// Get it from this ledger, whose worker does not run.
    #[arg(long)]
    ledger: Option<PathBuf>,
    /// Channel of the honest receipt.
    #[arg(long)]
    channel: ChannelId,
    /// Number of the honest receipt.
    #[arg(long, default_value_t = 1)]
    sequence: u64,
    /// Channel to settle. [default: that of the honest receipt]
    #[arg(long)]
    settle_channel: Option<ChannelId>,
    /// Secret of the operator.
    #[arg(long)]
    operator_key: String,
    /// Secret of the payer.
    #[arg(long)]
    payer_key: String,
    /// What to lie about.
    #[arg(long)]
    lie: LieKind,
    /// Make up an answer that copies an input record, so that there are credits and a span.
    #[arg(long)]
    copy: bool,
    /// Address at which the receipt is shown; port 0 chooses a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
}

impl Arguments {
    async fn honest(&self) -> Result<StoredReceipt> {
        let (channel, sequence) = (self.channel, self.sequence);
        match (&self.ledger, &self.operator_url) {
            (Some(path), _) => Ledger::open(path)?
                .receipt(channel, sequence)?
                .with_context(|| format!("the ledger has no receipt {sequence} of {channel}")),
            (None, Some(url)) => {
                let url = format!("{url}/v1/openledger/receipts/{channel}/{sequence}/raw");
                let response = reqwest::get(&url).await?.error_for_status()?;
                StoredReceipt::decode_all(&mut &*response.bytes().await?)
                    .with_context(|| format!("{url} is no receipt"))
            }
            (None, None) => anyhow::bail!("name --operator-url or --ledger"),
        }
    }
}

/// The first row that the query does not allow to be credited.
fn ineligible(
    draft: &Draft,
    lineage: &Lineage,
    ruleset: &Ruleset,
) -> Option<(ModelId, u32, ContributionId)> {
    let floor = ruleset.receipt.floor();
    let mut rows = lineage
        .models()
        .iter()
        .flat_map(|member| (0..member.rows).map(|row| (member.model, row)));
    let (model, row) = rows.find(|(model, row)| {
        let query = draft.query.vector(*model);
        let opened = query.zip(lineage.open_row(*model, *row));
        opened.is_some_and(|(query, opened)| credit_score(query, &opened.value, floor).is_none())
    })?;
    Some((model, row, lineage.owner(model, row)?))
}

/// Makes an answer up that copies the beginning of a record, and a query that points at that record, or
/// away from it: then the record may not be credited.
fn copy(stored: &mut StoredReceipt, lineage: &Lineage, points_away: bool) -> Option<()> {
    let mut rows = lineage
        .models()
        .iter()
        .flat_map(|member| (0..member.rows).map(|row| (member.model, row)));
    let (model, text, gradient) = rows.find_map(|(model, row)| {
        let text = lineage.text(model, row)?.get(..COPIED)?;
        match lineage.open_row(model, row)?.value {
            Row::Own { g, .. } => Some((model, text, g)),
            Row::DuplicateOf(_) | Row::Absent => None,
        }
    })?;
    let mut vectors = stored.query.vectors.iter_mut();
    let (_, vector) = vectors.find(|(known, _)| *known == model)?;
    let sign = if points_away { -1 } else { 1 };
    let values: Vec<i16> = gradient
        .iter()
        .map(|value| sign * i16::from(*value))
        .collect();
    *vector = values.try_into().ok()?;
    stored.response = text.to_vec();
    Some(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let chain = Client::connect(&arguments.node).await?;
    let store = ContentStore::open(&arguments.store)?;
    let operator = Key::from_secret(&arguments.operator_key)?;
    let payer = Key::from_secret(&arguments.payer_key)?;
    let mut stored = arguments.honest().await?;

    let id = arguments.settle_channel.unwrap_or(arguments.channel);
    let channel = chain.channel(id).await?;
    let channel = channel.with_context(|| format!("channel {id} is not open"))?;
    ensure!(
        (&channel.payee, &channel.signer) == (&operator.account(), &payer.account()),
        "channel {id} is from {} to {}, which the keys are not of",
        channel.signer,
        channel.payee
    );
    let ruleset = chain.ruleset(channel.ruleset).await?;
    let ruleset = ruleset.context("the channel's ruleset is not on chain")?;
    let model = stored.signed.receipt.model;
    let folder = std::env::temp_dir().join(format!("openledger-forge-{}", std::process::id()));
    let lineage = Lineage::load(&chain, &store, &folder, model).await?;
    let lineage = lineage.with_context(|| format!("model {model} is not on chain"))?;

    if arguments.copy {
        let points_away = arguments.lie == LieKind::IneligibleRow;
        copy(&mut stored, &lineage, points_away)
            .context("no record is long enough to be copied")?;
    }
    let mut receipt = stored.signed.receipt.clone();
    receipt.channel = id;
    receipt.ruleset = channel.ruleset;
    receipt.sequence = channel.mark.sequence + 1;
    receipt.previous = channel.mark.receipt;
    receipt.cumulative = channel.mark.cumulative + receipt.price;
    receipt.response = response_tree(&stored.response, &stored.secret).commitment();
    receipt.response_length = u32::try_from(stored.response.len())?;
    receipt.query = stored.query.commit();
    let rules = &ruleset.receipt;
    let full = |_| anyhow::anyhow!("the receipt has too many parts");
    receipt.credits = lineage
        .credits(&stored.query, rules)?
        .try_into()
        .map_err(|_| full(()))?;
    receipt.spans = lineage
        .spans(&stored.response, rules)?
        .try_into()
        .map_err(|_| full(()))?;
    let owners = lineage
        .owners_of(&receipt)
        .context("a datum has no owner")?;
    let mut draft = Draft {
        receipt,
        query: stored.query.clone(),
        owners,
    };
    let facts = Facts {
        before: &Totals::default(),
        ruleset: &ruleset,
        price_floor: lineage.price_floor(),
        ineligible: ineligible(&draft, &lineage, &ruleset),
    };
    let lie = arguments.lie;
    lie.tell(&mut draft, &facts).map_err(anyhow::Error::msg)?;

    let sign = |receipt: Receipt| SignedReceipt {
        signature: operator.sign(receipt.commit().as_bytes()),
        receipt,
    };
    let signed = sign(draft.receipt);
    let voucher = Voucher {
        genesis: chain.genesis(),
        channel: id,
        sequence: signed.receipt.sequence,
        cumulative: signed.receipt.cumulative,
        receipt: signed.receipt.commit(),
    };
    let voucher = SignedVoucher {
        voucher,
        signature: payer.sign(&voucher.payload()),
    };
    let call = calls::settle(voucher, signed.clone());
    let events = chain.submit(&operator, &call, Wait::InBlock).await?;
    let settlement = events.opened_settlement();
    let settlement = settlement.context("the chain opened no settlement")?;

    let shown = match lie {
        LieKind::Withheld => None,
        LieKind::Equivocation => {
            let mut other = signed.receipt.clone();
            other.audit = [0xff; 32];
            Some(sign(other))
        }
        _ => Some(signed.clone()),
    };
    let shown = shown.map(|signed| StoredReceipt {
        signed,
        query: draft.query,
        owners: draft.owners,
        ..stored
    });
    let listener = tokio::net::TcpListener::bind(&arguments.listen).await?;
    let name = lie.to_possible_value();
    let result = json!({
        "settlement": settlement,
        "lie": name.map(|value| value.get_name().to_owned()),
        "proves": lie.proves().map(|lie| format!("{lie:?}")),
        "channel": id,
        "sequence": signed.receipt.sequence,
        "amount": (signed.receipt.cumulative - channel.mark.cumulative).to_string(),
        "block": events.block,
        "url": format!("http://{}", listener.local_addr()?),
    });
    println!("{result}");
    let route = "/v1/openledger/receipts/{channel}/{sequence}/raw";
    let router = Router::new()
        .route(route, get(show))
        .with_state(Arc::new(shown));
    axum::serve(listener, router).await?;
    Ok(())
}

async fn show(
    State(shown): State<Arc<Option<StoredReceipt>>>,
    UrlPath(asked): UrlPath<(ChannelId, u64)>,
) -> Response {
    let receipt = |stored: &&StoredReceipt| {
        let receipt = &stored.signed.receipt;
        (receipt.channel, receipt.sequence) == asked
    };
    match shown.as_ref().as_ref().filter(receipt) {
        Some(stored) => stored.encode().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
