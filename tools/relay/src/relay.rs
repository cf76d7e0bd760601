//! All ends and the paths between them, and the packets that are under way.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    net::Ipv4Addr,
    str::FromStr,
    time::Instant,
};

use anyhow::{bail, ensure, Context, Result};
use serde::Serialize;

use crate::{
    command::Command,
    path::{Conditions, Fate, Path, Report},
};

/// One network namespace.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    /// How it is called in commands.
    pub(crate) name: String,
    /// Where it is reached.
    pub(crate) addresses: Vec<Ipv4Addr>,
}

impl FromStr for End {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, addresses) = text
            .split_once('=')
            .with_context(|| format!("'{text}' is not NAME=ADDRESS[,ADDRESS]..."))?;
        ensure!(
            !name.is_empty() && !name.contains([',', '|', ' ']),
            "'{name}' is no name of an end: it is empty or has one of ',', '|' and ' ' in it"
        );
        let addresses = addresses
            .split(',')
            .map(|address| {
                address
                    .parse()
                    .with_context(|| format!("'{address}' is no IPv4 address"))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            name: name.to_string(),
            addresses,
        })
    }
}

/// A packet that waits for its time. They are ordered by that, then as they came in.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    due: Instant,
    number: u64,
    sent: Instant,
    from: usize,
    to: usize,
    packet: Vec<u8>,
}

/// What the relay says about itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Statistics {
    /// Packets that are not IPv4.
    other_protocols: u64,
    /// Packets to addresses that no other end has.
    unknown_addresses: u64,
    /// The paths that have carried anything.
    paths: Vec<PathStatistics>,
}

#[derive(Debug, Serialize)]
struct PathStatistics {
    from: String,
    to: String,
    #[serde(flatten)]
    report: Report,
}

/// All ends and the paths between them.
#[derive(Debug)]
pub(crate) struct Relay {
    ends: Vec<End>,
    /// The ends after this many are those of the control.
    ordinary: usize,
    by_address: HashMap<Ipv4Addr, usize>,
    conditions: Conditions,
    /// The group of each end, while there is a partition.
    groups: Option<Vec<usize>>,
    /// From end `a` to end `b`: number `a * ends + b`.
    paths: Vec<Path>,
    queue: BinaryHeap<Reverse<UnderWay>>,
    numbers: u64,
    other_protocols: u64,
    unknown_addresses: u64,
}

impl Relay {
    /// A relay between these ends, without delay, loss or partition.
    pub(crate) fn new(seed: u64, ordinary: Vec<End>, control: Vec<End>) -> Result<Self> {
        let ordinary_count = ordinary.len();
        let ends: Vec<End> = ordinary.into_iter().chain(control).collect();
        let mut by_address = HashMap::new();
        for (number, end) in ends.iter().enumerate() {
            ensure!(
                ends[..number].iter().all(|other| other.name != end.name),
                "two ends are called {}",
                end.name
            );
            for address in &end.addresses {
                ensure!(
                    by_address.insert(*address, number).is_none(),
                    "the address {address} is given twice"
                );
            }
        }
        let paths = (0..ends.len() * ends.len())
            .map(|number| Path::new(seed, number as u64))
            .collect();
        Ok(Self {
            ends,
            ordinary: ordinary_count,
            by_address,
            conditions: Conditions::default(),
            groups: None,
            paths,
            queue: BinaryHeap::new(),
            numbers: 0,
            other_protocols: 0,
            unknown_addresses: 0,
        })
    }

    /// Takes in a packet that an end has sent.
    pub(crate) fn take(&mut self, from: usize, packet: &[u8], now: Instant) {
        let Some(destination) = ipv4_destination(packet) else {
            self.other_protocols += 1;
            return;
        };
        let Some(to) = self
            .by_address
            .get(&destination)
            .copied()
            .filter(|to| *to != from)
        else {
            self.unknown_addresses += 1;
            return;
        };
        let controlled = from >= self.ordinary || to >= self.ordinary;
        let conditions = if controlled {
            Conditions::default()
        } else {
            self.conditions
        };
        let partitioned = match &self.groups {
            Some(groups) if !controlled => groups[from] != groups[to],
            _ => false,
        };
        let number = self.path(from, to);
        if let Fate::Due(due) = self.paths[number].send(&conditions, partitioned, packet.len(), now)
        {
            self.numbers += 1;
            self.queue.push(Reverse(UnderWay {
                due,
                number: self.numbers,
                sent: now,
                from,
                to,
                packet: packet.to_vec(),
            }));
        }
    }

    /// Hands every packet whose time has come to `deliver`, which says whether the end took it, and
    /// returns when the next one is due.
    pub(crate) fn deliver(
        &mut self,
        now: Instant,
        mut deliver: impl FnMut(usize, &[u8]) -> bool,
    ) -> Option<Instant> {
        while let Some(Reverse(next)) = self.queue.peek() {
            if next.due > now {
                return Some(next.due);
            }
            if let Some(Reverse(UnderWay {
                sent,
                from,
                to,
                packet,
                ..
            })) = self.queue.pop()
            {
                let taken = deliver(to, &packet);
                let number = self.path(from, to);
                self.paths[number].left(sent, now, taken);
            }
        }
        None
    }

    /// Does what a line of the standard input asks for.
    pub(crate) fn obey(&mut self, line: &str) -> Result<Option<Statistics>> {
        let command = Command::parse(line)?;
        command.change(&mut self.conditions);
        match command {
            Command::Delay { .. } | Command::Loss { .. } => {}
            // Packets that are under way already arrive all the same.
            Command::Partition(groups) => self.groups = Some(self.group_of_each(&groups)?),
            Command::Heal => self.groups = None,
            Command::Statistics => return Ok(Some(self.statistics())),
        }
        Ok(None)
    }

    fn path(&self, from: usize, to: usize) -> usize {
        from * self.ends.len() + to
    }

    fn group_of_each(&self, groups: &[Vec<String>]) -> Result<Vec<usize>> {
        let names: Vec<&str> = self.ends[..self.ordinary]
            .iter()
            .map(|end| end.name.as_str())
            .collect();
        for name in groups.iter().flatten() {
            ensure!(
                names.contains(&name.as_str()),
                "no end is called '{name}'; there are {}",
                names.join(", ")
            );
        }
        names
            .iter()
            .map(|name| {
                let places: Vec<usize> = groups
                    .iter()
                    .enumerate()
                    .flat_map(|(place, group)| group.iter().map(move |member| (place, member)))
                    .filter_map(|(place, member)| (member == name).then_some(place))
                    .collect();
                match places.as_slice() {
                    [place] => Ok(*place),
                    _ => bail!(
                        "'{name}' stands {} times in the partition instead of once",
                        places.len()
                    ),
                }
            })
            .collect()
    }

    fn statistics(&self) -> Statistics {
        let count = self.ends.len();
        let paths = self
            .paths
            .iter()
            .enumerate()
            .map(|(number, path)| PathStatistics {
                from: self.ends[number / count].name.clone(),
                to: self.ends[number % count].name.clone(),
                report: path.report(),
            })
            .filter(|path| path.report.counts.packets > 0)
            .collect();
        Statistics {
            other_protocols: self.other_protocols,
            unknown_addresses: self.unknown_addresses,
            paths,
        }
    }
}

/// Where a packet goes, if it is IPv4.
fn ipv4_destination(packet: &[u8]) -> Option<Ipv4Addr> {
    (packet.first()? >> 4 == 4)
        .then(|| packet.get(16..20))
        .flatten()
        .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
        .map(Ipv4Addr::from)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const A: [u8; 4] = [10, 0, 0, 1];
    const B: [u8; 4] = [10, 0, 0, 2];
    const C: [u8; 4] = [10, 0, 0, 3];
    const CONTROL: [u8; 4] = [10, 0, 0, 254];

    fn relay() -> Relay {
        let end = |text: &str| text.parse::<End>().unwrap();
        let ordinary = ["a=10.0.0.1,10.1.0.1", "b=10.0.0.2", "c=10.0.0.3"].map(end);
        Relay::new(1, ordinary.into(), vec![end("control=10.0.0.254")]).unwrap()
    }

    fn packet(to: [u8; 4], mark: u8) -> Vec<u8> {
        let mut packet = vec![0; 21];
        packet[0] = 0x45;
        packet[16..20].copy_from_slice(&to);
        packet[20] = mark;
        packet
    }

    /// The ends and marks of what is delivered at a time.
    fn delivered(relay: &mut Relay, now: Instant) -> Vec<(usize, u8)> {
        let mut found = Vec::new();
        relay.deliver(now, |to, packet| {
            found.push((to, packet[20]));
            true
        });
        found
    }

    #[test]
    fn ends_are_read() {
        assert_eq!(
            "a=10.0.0.1,10.1.0.1".parse::<End>().unwrap(),
            End {
                name: "a".into(),
                addresses: vec![A.into(), [10, 1, 0, 1].into()]
            }
        );
        for wrong in ["a", "=10.0.0.1", "a,b=10.0.0.1", "a=10.0.0", "a="] {
            wrong.parse::<End>().unwrap_err();
        }
        let end = |text: &str| vec![text.parse::<End>().unwrap()];
        Relay::new(1, end("a=10.0.0.1"), end("b=10.0.0.1")).unwrap_err();
        Relay::new(1, end("a=10.0.0.1"), end("a=10.0.0.2")).unwrap_err();
    }

    #[test]
    fn packets_go_where_they_are_sent() {
        let mut relay = relay();
        let now = Instant::now();
        relay.take(0, &packet(B, 1), now);
        relay.take(1, &packet([10, 1, 0, 1], 2), now);
        relay.take(2, &packet(CONTROL, 3), now);
        // To nobody, to itself, of another protocol, and cut short.
        relay.take(0, &packet([10, 9, 9, 9], 4), now);
        relay.take(0, &packet(A, 5), now);
        relay.take(0, &[0x60; 40], now);
        relay.take(0, &[0x45; 10], now);
        assert_eq!(delivered(&mut relay, now), [(1, 1), (0, 2), (3, 3)]);
        let statistics = relay.statistics();
        assert_eq!(statistics.unknown_addresses, 2);
        assert_eq!(statistics.other_protocols, 2);
        assert_eq!(statistics.paths.len(), 3);
    }

    #[test]
    fn packets_wait_for_their_time_in_order() {
        let mut relay = relay();
        relay.obey("delay 100 50").unwrap();
        let start = Instant::now();
        for mark in 0..100 {
            relay.take(0, &packet(B, mark), start);
        }
        // Control is not delayed.
        relay.take(3, &packet(A, 200), start);
        assert_eq!(delivered(&mut relay, start), [(0, 200)]);
        let next = relay.deliver(start, |_, _| unreachable!("nothing is due"));
        assert!(next.unwrap() >= start + Duration::from_millis(25));
        let all = delivered(&mut relay, start + Duration::from_millis(75));
        assert_eq!(all, (0..100).map(|mark| (1, mark)).collect::<Vec<_>>());
        assert_eq!(relay.deliver(start, |_, _| true), None);
    }

    #[test]
    fn a_partition_lasts_until_it_is_healed() {
        let mut relay = relay();
        let now = Instant::now();
        relay.obey("partition a,b|c").unwrap();
        let send = |relay: &mut Relay| {
            relay.take(0, &packet(B, 1), now);
            relay.take(0, &packet(C, 2), now);
            relay.take(2, &packet(B, 3), now);
            relay.take(2, &packet(CONTROL, 4), now);
        };
        send(&mut relay);
        assert_eq!(delivered(&mut relay, now), [(1, 1), (3, 4)]);
        relay.obey("heal").unwrap();
        send(&mut relay);
        assert_eq!(delivered(&mut relay, now), [(1, 1), (2, 2), (1, 3), (3, 4)]);
    }

    #[test]
    fn wrong_partitions_change_nothing() {
        let mut relay = relay();
        relay.obey("partition a|b,c").unwrap();
        for wrong in ["partition a,b", "partition a,b,c|a", "partition a,b,c,d"] {
            relay.obey(wrong).unwrap_err();
        }
        relay.obey("nonsense").unwrap_err();
        assert_eq!(relay.groups, Some(vec![0, 1, 1]));
        relay.obey("partition a,b,c,control").unwrap_err();
    }
}
