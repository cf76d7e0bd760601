//! Command line of the node.

use clap::Parser;
use sc_cli::{
    BuildSpecCmd, ChainInfoCmd, CheckBlockCmd, ExportBlocksCmd, ExportChainSpecCmd, ExportStateCmd,
    ImportBlocksCmd, KeySubcommand, PurgeChainCmd, RevertCmd, RunCmd, SignCmd, VanityCmd,
    VerifyCmd,
};
use sc_storage_monitor::StorageMonitorParams;

use crate::new_chain::NewChainSpecCmd;

const EXAMPLES: &str = "\
Examples:
  A chain for development, with one validator, forgotten when the node stops:
      openledger-node --dev --tmp

  The first of three validators of a local net, and a node that only follows it. A validator's network
  key is generated once, so that others find it again after a restart:
      openledger-node key generate-node-key --chain local --base-path /tmp/alice
      openledger-node --chain local --alice --base-path /tmp/alice --port 30333 --rpc-port 9944
      openledger-node --chain local --base-path /tmp/follower --port 30336 --rpc-port 9947

  The specification of a chain, to be changed and then run by others:
      openledger-node export-chain-spec --chain local --output my-chain.json
      openledger-node --chain my-chain.json

  Session keys of a new validator, to be registered with session.setKeys (ACCOUNT in hex):
      curl -H 'Content-Type: application/json' http://127.0.0.1:9944 -d \\
        '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"author_rotateKeysWithOwner\",\"params\":[\"ACCOUNT\"]}'

The wallet at https://polkadot.js.org/apps/?rpc=ws://127.0.0.1:9944 talks to a local node.
The only database is ParityDB.";

/// The OpenLedger node: makes, checks, finalises and serves blocks.
#[derive(Debug, Parser)]
#[command(
    propagate_version = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = EXAMPLES
)]
pub(crate) struct Cli {
    /// What to do, if not to run a node.
    #[command(subcommand)]
    pub(crate) subcommand: Option<Subcommand>,

    #[command(flatten)]
    pub(crate) run: RunCmd,

    #[command(flatten)]
    pub(crate) storage_monitor: StorageMonitorParams,
}

/// What the node's program can do besides running a node.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Generate, inspect and insert keys.
    #[command(subcommand)]
    Key(KeySubcommand),

    /// Print a chain specification. Prefer `export-chain-spec`, which adds no boot node.
    BuildSpec(BuildSpecCmd),

    /// Write a chain specification.
    ExportChainSpec(ExportChainSpecCmd),

    /// Write the specification of a new chain with validators and allocations of your own.
    NewChainSpec(NewChainSpecCmd),

    /// Check stored blocks again.
    CheckBlock(CheckBlockCmd),

    /// Write blocks to a file or to standard output.
    ExportBlocks(ExportBlocksCmd),

    /// Write the state of a block as a chain specification that starts from it.
    ExportState(ExportStateCmd),

    /// Read blocks from a file or from standard input.
    ImportBlocks(ImportBlocksCmd),

    /// Remove the whole chain from the disk. Keys stay.
    PurgeChain(PurgeChainCmd),

    /// Go back by a number of blocks, as far as finality allows.
    Revert(RevertCmd),

    /// Print the best and the finalised block of the database.
    ChainInfo(ChainInfoCmd),

    /// Sign a message with a secret key.
    Sign(SignCmd),

    /// Check a message's signature.
    Verify(VerifyCmd),

    /// Search for a key whose address contains a pattern.
    Vanity(VanityCmd),
}
