//! What transactions of this chain cost against a plain balance transfer: their weights, and how many
//! of them one core executes in a second, natively and in Wasm as nodes do.
//!
//! ```text
//! cargo bench -p openledger-runtime             nine rounds
//! cargo bench -p openledger-runtime -- --quick  three
//! ```
//!
//! Signed transactions go through the runtime API's own entry points, `Core_initialize_block`,
//! `BlockBuilder_apply_extrinsic` and `BlockBuilder_finalize_block`, the way a block's author calls
//! them: decoded, their signatures verified, paid for and dispatched, each call of the Wasm runtime in
//! a fresh instance. What is left out is the database: state is a trie in memory, written to after
//! each block. Times are those that the thread was on a processor, so that what else runs on the
//! machine does not count.
#![allow(missing_docs)]

#[path = "../../tests/books.rs"]
mod books;
#[path = "../../tests/chain.rs"]
// Tests use the rest of it.
#[allow(dead_code)]
mod chain;
mod world;

use chain::{genesis_config, sign_with_nonce, Chain};
use codec::{Decode, Encode};
use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
use openledger_runtime::{
    apis::api, configs::system::RuntimeBlockWeights, Header, Runtime, RuntimeCall, System,
    UncheckedExtrinsic, WASM_BINARY,
};
use pallet_attribution::WeightInfo;
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_io::{hashing::blake2_256, SubstrateHostFunctions, TestExternalities};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{ApplyExtrinsicResult, BuildStorage};
use std::time::Duration;
use world::World;

/// How long this thread has been on a processor.
fn processor_time() -> Duration {
    // The kernel brings its count up to date when it looks for what to run next.
    std::thread::yield_now();
    let counts = std::fs::read_to_string("/proc/thread-self/schedstat")
        .expect("Linux counts the time of threads, when built with scheduler statistics");
    let nanoseconds = counts
        .split_whitespace()
        .next()
        .and_then(|count| count.parse().ok());
    Duration::from_nanos(nanoseconds.expect("the first count is the time on a processor"))
}

/// What executes the runtime.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Execution {
    Native,
    Wasm,
}

/// A chain in memory that either execution can go on with.
struct Node {
    state: TestExternalities,
    chain: Chain,
    executor: WasmExecutor<SubstrateHostFunctions>,
    code: &'static [u8],
    code_hash: Vec<u8>,
}

impl Node {
    fn start() -> Self {
        let code = WASM_BINARY.expect("the runtime was built without SKIP_WASM_BUILD");
        let storage = genesis_config(DEV_RUNTIME_PRESET)
            .build_storage()
            .expect("the preset builds");
        let mut state = TestExternalities::new_with_code(code, storage);
        let chain = state.execute_with(Chain::at_genesis);
        Self {
            state,
            chain,
            executor: WasmExecutor::builder().build(),
            code,
            code_hash: blake2_256(code).to_vec(),
        }
    }

    /// Reads or changes the state from inside, natively.
    fn inside<R>(&mut self, work: impl FnOnce() -> R) -> R {
        self.state.execute_with(work)
    }

    /// Calls an entry point of the runtime API.
    fn call(&mut self, execution: Execution, method: &str, data: &[u8]) -> Vec<u8> {
        match execution {
            Execution::Native => self
                .state
                .execute_with(|| api::dispatch(method, data))
                .expect("the runtime has this entry point"),
            Execution::Wasm => {
                let fetcher = WrappedRuntimeCode(self.code.into());
                let code = RuntimeCode {
                    code_fetcher: &fetcher,
                    heap_pages: None,
                    hash: self.code_hash.clone(),
                };
                let context = CallContext::Onchain { import: false };
                let mut state = self.state.ext();
                let (result, _) = self.executor.call(&mut state, &code, method, data, context);
                result.unwrap_or_else(|error| panic!("{method} fails in Wasm: {error}"))
            }
        }
    }

    fn apply(&mut self, execution: Execution, transaction: &[u8]) {
        let result = self.call(execution, "BlockBuilder_apply_extrinsic", transaction);
        let result = ApplyExtrinsicResult::decode(&mut &*result).expect("it is such a result");
        assert_eq!(result, Ok(Ok(())), "every transaction must succeed");
    }

    /// Makes a block of `transactions`, after empty ones while blocks have no room, and returns the
    /// time that the transactions took.
    fn block(&mut self, execution: Execution, transactions: &[Vec<u8>]) -> Duration {
        loop {
            let chain = &mut self.chain;
            let (header, timestamp) = self.state.execute_with(|| chain.begin_block());
            self.call(execution, "Core_initialize_block", &header.encode());
            self.apply(execution, &timestamp.encode());
            // The block that ends a session counts as full.
            let used = self.inside(|| System::block_weight().total().ref_time());
            let is_full = used > RuntimeBlockWeights::get().max_block.ref_time() / 2;
            let begin = processor_time();
            if !is_full {
                for transaction in transactions {
                    self.apply(execution, transaction);
                }
            }
            let time = processor_time().saturating_sub(begin);
            let header = self.call(execution, "BlockBuilder_finalize_block", &[]);
            let header = Header::decode(&mut &*header).expect("it is a header");
            self.chain.end_block(header);
            self.state.commit_all().expect("no transaction is open");
            if !is_full {
                return time;
            }
        }
    }

    /// Makes `count` empty blocks.
    fn advance(&mut self, count: u32) {
        for _ in 0..count {
            self.block(Execution::Native, &[]);
        }
    }
}

/// A kind of transaction.
struct Kind {
    name: &'static str,
    signer: Sr25519Keyring,
    /// Transactions in a block.
    count: u32,
    /// Makes what the next one needs, and the next one.
    next: fn(&mut World) -> RuntimeCall,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "balances.transfer_keep_alive",
        signer: world::SENDER,
        count: 200,
        next: World::transfer,
    },
    Kind {
        name: "datanets.contribute",
        signer: world::CONTRIBUTOR,
        count: 200,
        next: World::contribute,
    },
    Kind {
        name: "attribution.settle, 64 credits",
        signer: world::OPERATOR,
        count: 100,
        next: World::settle,
    },
    Kind {
        name: "attribution.challenge_score, d = 1024, 10^6 rows",
        signer: world::CHALLENGER,
        count: 4,
        next: World::challenge_score,
    },
    Kind {
        name: "attribution.challenge_step, 128 data, 1024 totals",
        signer: world::CHALLENGER,
        count: 4,
        next: World::challenge_step,
    },
];

impl Kind {
    fn transactions(&self, node: &mut Node, world: &mut World) -> Vec<UncheckedExtrinsic> {
        node.inside(|| {
            let calls: Vec<_> = (0..self.count).map(|_| (self.next)(world)).collect();
            let nonce = System::account_nonce(self.signer.to_account_id());
            (nonce..)
                .zip(calls)
                .map(|(nonce, call)| sign_with_nonce(self.signer, call, 0, nonce))
                .collect()
        })
    }
}

/// What a kind costs.
struct Cost {
    /// Picoseconds of weight, with the extensions and the base of a transaction.
    weight: u64,
    /// Bytes of proof.
    proof: u64,
    /// Length in bytes.
    length: usize,
    /// Seconds of each round.
    native: Vec<f64>,
    wasm: Vec<f64>,
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn measure(node: &mut Node, world: &mut World, rounds: usize) -> Vec<Cost> {
    let mut costs: Vec<Cost> = KINDS
        .iter()
        .map(|kind| {
            let transaction = kind.transactions(node, world).swap_remove(0);
            let info = transaction.get_dispatch_info();
            let weight = info
                .total_weight()
                .saturating_add(RuntimeBlockWeights::get().get(info.class).base_extrinsic);
            Cost {
                weight: weight.ref_time(),
                proof: weight.proof_size(),
                length: transaction.encode().len(),
                native: Vec::new(),
                wasm: Vec::new(),
            }
        })
        .collect();
    // What was made for a look at the lengths is not sent, so its numbers must not count.
    world.forget_what_was_not_sent(node);
    // The first round warms caches, and compiles the Wasm runtime.
    for round in 0..=rounds {
        for execution in [Execution::Native, Execution::Wasm] {
            for (kind, cost) in KINDS.iter().zip(&mut costs) {
                let transactions: Vec<_> = kind
                    .transactions(node, world)
                    .iter()
                    .map(Encode::encode)
                    .collect();
                let time = node.block(execution, &transactions).as_secs_f64();
                node.inside(|| world.check());
                if round > 0 {
                    let times = match execution {
                        Execution::Native => &mut cost.native,
                        Execution::Wasm => &mut cost.wasm,
                    };
                    times.push(time / f64::from(kind.count));
                }
            }
        }
    }
    costs
}

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if is_quick { 3 } else { 9 };
    let mut node = Node::start();
    let mut world = World::make(&mut node);
    let costs = measure(&mut node, &mut world, rounds);

    println!("transactions against a plain transfer: time on one core, state in memory, median of {rounds} rounds that take turns");
    println!(
        "{:50} {:>9} {:>8} {:>7} {:>7} | {:>9} {:>7} {:>6} | {:>9} {:>7} {:>6}",
        "", "weight us", "x", "proof B", "bytes", "native us", "/s", "x", "Wasm us", "/s", "x"
    );
    let plain = &costs[0];
    for (kind, cost) in KINDS.iter().zip(&costs) {
        let (native, wasm) = (median(&cost.native), median(&cost.wasm));
        println!(
            "{:50} {:9.0} {:8.2} {:7} {:7} | {:9.0} {:7.0} {:6.2} | {:9.0} {:7.0} {:6.2}",
            kind.name,
            cost.weight as f64 / 1e6,
            cost.weight as f64 / plain.weight as f64,
            cost.proof,
            cost.length,
            native * 1e6,
            1.0 / native,
            native / median(&plain.native),
            wasm * 1e6,
            1.0 / wasm,
            wasm / median(&plain.wasm),
        );
    }
    print_blocks(&costs);
    print_challenges();
}

/// How many of each kind a block has room for, by weight.
fn print_blocks(costs: &[Cost]) {
    let weights = RuntimeBlockWeights::get();
    let room = weights
        .get(DispatchClass::Normal)
        .max_total
        .unwrap_or(weights.max_block)
        .ref_time();
    let fits: Vec<_> = KINDS
        .iter()
        .zip(costs)
        .map(|(kind, cost)| {
            let name = kind.name.split(',').next().unwrap_or_default();
            format!("{} {name}", room / cost.weight)
        })
        .collect();
    println!("room in a block, by weight: {}", fits.join(", or "));
}

/// The weights of all seven challenges at their worst, as parts of a block.
fn print_challenges() {
    type Weights = <Runtime as pallet_attribution::Config>::WeightInfo;
    let challenges = [
        ("score", Weights::challenge_score()),
        ("omission", Weights::challenge_omission()),
        ("bytes", Weights::challenge_bytes()),
        ("span", Weights::challenge_span()),
        ("step", Weights::challenge_step()),
        ("settlement", Weights::challenge_settlement()),
        ("equivocation", Weights::challenge_equivocation()),
    ];
    let block = RuntimeBlockWeights::get().max_block;
    let part = |weight: frame_support::weights::Weight| {
        100.0 * weight.ref_time() as f64 / block.ref_time() as f64
    };
    let parts: Vec<_> = challenges
        .iter()
        .map(|(name, weight)| format!("{name} {:.2} %", part(*weight)))
        .collect();
    println!(
        "weight of a challenge at its worst, in parts of a block: {}",
        parts.join(", ")
    );
    let heaviest = challenges
        .iter()
        .max_by_key(|(_, weight)| weight.ref_time())
        .expect("there are seven");
    println!(
        "heaviest challenge: {}, {:.2} % of a block (bound: 5 %)",
        heaviest.0,
        part(heaviest.1)
    );
}
