//! Prints the supply and every operator with its bond and endpoint, at a node's last final block.
//!
//! ```text
//! operators ws://127.0.0.1:9944
//! ```

use anyhow::Context;
use openledger_client::{
    api,
    subxt::{OnlineClient, PolkadotConfig},
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args()
        .nth(1)
        .context("usage: operators URL, such as ws://127.0.0.1:9944")?;
    let chain = OnlineClient::<PolkadotConfig>::from_url(&url)
        .await
        .with_context(|| format!("no node answers at {url}"))?;
    let block = chain.at_current_block().await?;
    let supply = block
        .storage()
        .fetch(api::storage().balances().total_issuance(), ())
        .await?
        .decode()?;
    println!("supply {supply}");
    let mut operators = block
        .storage()
        .entry(api::storage().compute().operators())?
        .iter(())
        .await?;
    while let Some(entry) = operators.next().await {
        let operator = entry?.value().decode()?;
        let endpoint = String::from_utf8(operator.endpoint.0)?;
        println!("operator {endpoint} bond {}", operator.bond);
    }
    Ok(())
}
