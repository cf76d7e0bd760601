//! Carries IP packets between network namespaces, as a network with delay, loss and partitions would.
//!
//! It makes a TUN device for each end where it is started and prints their names; whoever started it
//! moves them into namespaces with `ip link set DEVICE netns NAMESPACE`, and gives them addresses and
//! routes there. Then every packet of an end passes through here.
//!
//! - **Delay** is asked for as the round trip's mean and spread. Each direction draws its half evenly:
//!   `delay 150 30` gives 60 to 90 ms one way, 120 to 180 ms there and back, 150 ms in the mean.
//!   Packets of one direction keep their order.
//! - **Loss** is per packet and direction: with `loss 1` a round trip fails with 1.99 %.
//! - **Partitions** let packets pass within groups of ends only.
//! - **Control ends** have none of the three with anybody.
//! - **Draws** come from the seed, for each direction between two ends from a stream of its own.

mod command;
mod path;
mod relay;

use std::{
    io::{self, BufRead, Write},
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::json;
use tokio::sync::{mpsc, Notify};
use tokio_tun::Tun;

use crate::relay::{End, Relay};

const COMMANDS: &str = "\
Commands, one a line on the standard input; each is answered by a line of JSON on the standard output:
  delay MEAN SPREAD    milliseconds of a round trip: its mean, and how far it may be from that
  loss PERCENT         of the packets in each direction
  partition A,B|C,D    every end but those of the control stands in one group
  heal                 end the partition
  statistics           what was carried since the start, for each direction between two ends

The relay ends when its standard input does.";

/// Carries IP packets between network namespaces with a seeded delay, loss and partitions.
#[derive(Debug, Parser)]
#[command(version, after_help = COMMANDS)]
struct Arguments {
    /// An end: its name and its addresses.
    #[arg(
        long = "end",
        value_name = "NAME=ADDRESS[,ADDRESS]...",
        required = true
    )]
    ends: Vec<End>,

    /// An end without delay, loss and partitions, from which the others are watched.
    #[arg(long = "control", value_name = "NAME=ADDRESS[,ADDRESS]...")]
    control: Vec<End>,

    /// What all draws come from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// As much as an IPv4 packet can hold.
const LARGEST_PACKET: usize = 1 << 16;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: Arguments) -> Result<()> {
    let Arguments {
        ends,
        control,
        seed,
    } = arguments;
    let names: Vec<String> = ends
        .iter()
        .chain(&control)
        .map(|end| end.name.clone())
        .collect();
    let relay = Relay::new(seed, ends, control)?;
    let devices = names
        .iter()
        .enumerate()
        .map(|(number, name)| {
            device(number).with_context(|| {
                format!("no TUN device for {name} can be made; it takes root, and /dev/net/tun")
            })
        })
        .collect::<Result<Vec<Tun>>>()?;
    let listed: Vec<_> = names
        .iter()
        .zip(&devices)
        .map(|(name, device)| json!({ "end": name, "device": device.name() }))
        .collect();
    answer(&json!({ "devices": listed }))?;

    let shared = Arc::new(Shared {
        relay: Mutex::new(relay),
        devices,
        changed: Notify::new(),
    });
    for (number, name) in names.into_iter().enumerate() {
        tokio::spawn(receive(shared.clone(), number, name));
    }
    tokio::spawn(deliver(shared.clone()));

    let mut lines = standard_input();
    while let Some(line) = lines.recv().await {
        let line = line.context("the standard input cannot be read")?;
        let obeyed = shared.relay().obey(&line);
        answer(&match obeyed {
            Ok(Some(statistics)) => json!({ "statistics": statistics }),
            Ok(None) => json!({ "done": line.trim() }),
            Err(error) => json!({ "error": format!("{error:#}") }),
        })?;
    }
    Ok(())
}

struct Shared {
    relay: Mutex<Relay>,
    devices: Vec<Tun>,
    /// Told when the packet that is due next may be another.
    changed: Notify,
}

impl Shared {
    fn relay(&self) -> MutexGuard<'_, Relay> {
        self.relay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn device(number: usize) -> Result<Tun> {
    Tun::builder()
        .name(&format!("relay{number}"))
        .build()?
        .pop()
        .context("the kernel gave none")
}

/// Takes in what an end sends, as long as its device is there.
async fn receive(shared: Arc<Shared>, number: usize, name: String) {
    let mut buffer = vec![0; LARGEST_PACKET];
    loop {
        match shared.devices[number].recv(&mut buffer).await {
            Ok(length) => {
                shared
                    .relay()
                    .take(number, &buffer[..length], Instant::now());
                shared.changed.notify_one();
            }
            Err(error) => {
                eprintln!("the device of {name} is gone: {error}");
                return;
            }
        }
    }
}

/// Delivers packets when their time comes.
async fn deliver(shared: Arc<Shared>) {
    loop {
        let next = shared.relay().deliver(Instant::now(), |to, packet| {
            // It never waits: a device that has no room drops, as any other does.
            shared.devices[to].try_send(packet).is_ok()
        });
        match next {
            Some(due) => {
                tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => {}
                    () = shared.changed.notified() => {}
                }
            }
            None => shared.changed.notified().await,
        }
    }
}

/// The lines of the standard input. A thread reads them, because files and terminals block.
fn standard_input() -> mpsc::UnboundedReceiver<io::Result<String>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn answer(value: &serde_json::Value) -> Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{value}").context("the standard output cannot be written to")
}
