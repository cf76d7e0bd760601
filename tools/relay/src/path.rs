//! One direction between two ends: its draws, its order, and what it has carried.

use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use serde::Serialize;

/// What happens to packets between two ends. By default nothing does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Conditions {
    /// The mean of the delay in one direction.
    pub(crate) one_way: Duration,
    /// The delay is drawn evenly from this much below its mean to this much above.
    pub(crate) one_way_spread: Duration,
    /// The probability with which a packet is lost.
    pub(crate) loss: f64,
}

/// What has become of the packets of a path since the start.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    /// Packets that were sent.
    pub(crate) packets: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Packets that were delivered.
    pub(crate) delivered: u64,
    /// Packets that were lost by a draw.
    pub(crate) lost: u64,
    /// Packets that a partition kept back.
    pub(crate) partitioned: u64,
    /// Packets that found the queue full.
    pub(crate) overflowed: u64,
    /// Packets that the receiving device refused: it is down, or gone.
    pub(crate) refused: u64,
}

/// What became of a packet when it came in.
#[derive(Debug, PartialEq)]
pub(crate) enum Fate {
    /// It is to be delivered at this time.
    Due(Instant),
    /// It goes no further.
    Dropped,
}

/// Packets on their way in one direction; a real router's queue is bounded as well.
const MOST_UNDER_WAY: u64 = 10_000;

/// One direction between two ends.
///
/// Draws depend on the seed, the path and the number of the packet on it, and on nothing else: the
/// same packets in the same order meet the same fate in every run.
#[derive(Debug)]
pub(crate) struct Path {
    draws: ChaCha8Rng,
    /// When the packet before is due. None overtakes it: TCP would take that for a loss. So a burst
    /// arrives with the longest delay drawn so far in it, and only packets that are further apart
    /// than the spread have independent delays.
    last_due: Option<Instant>,
    under_way: u64,
    counts: Counts,
    measured: Measured,
}

/// Delays from a packet's coming in to its going out.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    least: Duration,
    most: Duration,
    sum: Duration,
}

/// What is reported of a path.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    #[serde(flatten)]
    pub(crate) counts: Counts,
    /// Of those delivered, in one direction, in milliseconds.
    pub(crate) delay: Option<Delay>,
}

/// Measured delays, in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Delay {
    pub(crate) least: f64,
    pub(crate) mean: f64,
    pub(crate) most: f64,
}

impl Path {
    /// The path with this number in a relay with this seed.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut draws = ChaCha8Rng::seed_from_u64(seed);
        draws.set_stream(number);
        Self {
            draws,
            last_due: None,
            under_way: 0,
            counts: Counts::default(),
            measured: Measured::default(),
        }
    }

    /// Decides about a packet of so many bytes.
    pub(crate) fn send(
        &mut self,
        conditions: &Conditions,
        partitioned: bool,
        bytes: usize,
        now: Instant,
    ) -> Fate {
        // Both draws for every packet, whatever the conditions: a change of them shifts no later draw.
        let (loss, delay) = (self.draw(), self.draw());
        self.counts.packets += 1;
        self.counts.bytes += bytes as u64;
        if partitioned {
            self.counts.partitioned += 1;
            return Fate::Dropped;
        }
        if loss < conditions.loss {
            self.counts.lost += 1;
            return Fate::Dropped;
        }
        if self.under_way >= MOST_UNDER_WAY {
            self.counts.overflowed += 1;
            return Fate::Dropped;
        }
        self.under_way += 1;
        let least = conditions.one_way.saturating_sub(conditions.one_way_spread);
        let drawn = now + least + (conditions.one_way_spread * 2).mul_f64(delay);
        let due = self.last_due.map_or(drawn, |last| last.max(drawn));
        self.last_due = Some(due);
        Fate::Due(due)
    }

    /// Notes that a packet has left, and whether the receiving device took it.
    pub(crate) fn left(&mut self, sent: Instant, now: Instant, taken: bool) {
        self.under_way -= 1;
        if !taken {
            self.counts.refused += 1;
            return;
        }
        let delay = now.saturating_duration_since(sent);
        let measured = &mut self.measured;
        measured.least = match self.counts.delivered {
            0 => delay,
            _ => measured.least.min(delay),
        };
        measured.most = measured.most.max(delay);
        measured.sum += delay;
        self.counts.delivered += 1;
    }

    /// What the path has carried.
    pub(crate) fn report(&self) -> Report {
        let milliseconds = |duration: Duration| duration.as_micros() as f64 / 1_000.0;
        let Measured { least, most, sum } = self.measured;
        Report {
            counts: self.counts,
            delay: (self.counts.delivered > 0).then(|| Delay {
                least: milliseconds(least),
                mean: milliseconds(sum.div_f64(self.counts.delivered as f64)),
                most: milliseconds(most),
            }),
        }
    }

    /// A number from 0 to below 1.
    fn draw(&mut self) -> f64 {
        // As many bits as a double holds.
        (self.draws.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: Conditions = Conditions {
        one_way: Duration::from_millis(75),
        one_way_spread: Duration::from_millis(15),
        loss: 0.01,
    };

    /// The delays of packets that are sent so far apart that none waits for another.
    fn delays(
        seed: u64,
        number: u64,
        conditions: &Conditions,
        count: u32,
    ) -> Vec<Option<Duration>> {
        let mut path = Path::new(seed, number);
        let start = Instant::now();
        (0..count)
            .map(|packet| {
                let now = start + Duration::from_secs(1) * packet;
                match path.send(conditions, false, 100, now) {
                    Fate::Due(due) => {
                        path.left(now, due, true);
                        Some(due - now)
                    }
                    Fate::Dropped => None,
                }
            })
            .collect()
    }

    #[test]
    fn delay_and_loss_are_as_asked() {
        let all = delays(7, 0, &FAR, 100_000);
        let delivered: Vec<Duration> = all.iter().copied().flatten().collect();
        let lost = all.len() - delivered.len();
        // Four standard deviations of a hundred thousand draws are 126 packets.
        assert!((874..=1_126).contains(&lost), "{lost} of 100000 were lost");
        let least = delivered.iter().min().unwrap();
        let most = delivered.iter().max().unwrap();
        assert!(*least >= Duration::from_millis(60) && *least < Duration::from_millis(61));
        assert!(*most <= Duration::from_millis(90) && *most > Duration::from_millis(89));
        let mean = delivered.iter().sum::<Duration>() / delivered.len() as u32;
        assert!(
            mean > Duration::from_micros(74_800) && mean < Duration::from_micros(75_200),
            "the mean is {mean:?}"
        );
    }

    #[test]
    fn the_seed_and_the_path_decide_the_draws() {
        assert_eq!(delays(7, 3, &FAR, 1_000), delays(7, 3, &FAR, 1_000));
        assert_ne!(delays(7, 3, &FAR, 1_000), delays(8, 3, &FAR, 1_000));
        assert_ne!(delays(7, 3, &FAR, 1_000), delays(7, 4, &FAR, 1_000));
    }

    #[test]
    fn conditions_do_not_shift_later_draws() {
        let start = Instant::now();
        let mut changed = Path::new(7, 0);
        changed.send(&Conditions::default(), true, 100, start);
        let mut unchanged = Path::new(7, 0);
        unchanged.send(&FAR, false, 100, start);
        let later = start + Duration::from_secs(1);
        assert_eq!(
            changed.send(&FAR, false, 100, later),
            unchanged.send(&FAR, false, 100, later)
        );
    }

    #[test]
    fn no_packet_overtakes() {
        let mut path = Path::new(7, 0);
        let start = Instant::now();
        let mut last = start;
        for packet in 0..1_000 {
            let now = start + Duration::from_micros(100) * packet;
            if let Fate::Due(due) = path.send(&FAR, false, 100, now) {
                assert!(due >= last);
                last = due;
            }
        }
        // Not even one that is sent when the delay has become shorter.
        let now = start + Duration::from_millis(101);
        assert_eq!(
            path.send(&Conditions::default(), false, 100, now),
            Fate::Due(last)
        );
    }

    #[test]
    fn every_packet_is_accounted_for() {
        let mut path = Path::new(7, 0);
        let now = Instant::now();
        let sure = Conditions { loss: 1.0, ..FAR };
        let safe = Conditions { loss: 0.0, ..FAR };
        assert_eq!(path.send(&sure, false, 100, now), Fate::Dropped);
        assert_eq!(path.send(&safe, true, 100, now), Fate::Dropped);
        for _ in 0..MOST_UNDER_WAY {
            assert_ne!(path.send(&safe, false, 100, now), Fate::Dropped);
        }
        assert_eq!(path.send(&safe, false, 100, now), Fate::Dropped);
        path.left(now, now + Duration::from_millis(70), true);
        path.left(now, now + Duration::from_millis(80), true);
        path.left(now, now + Duration::from_millis(80), false);
        let Report { counts, delay } = path.report();
        assert_eq!(counts.packets, MOST_UNDER_WAY + 3);
        assert_eq!(counts.bytes, 100 * counts.packets);
        assert_eq!(
            [
                counts.lost,
                counts.partitioned,
                counts.overflowed,
                counts.delivered,
                counts.refused
            ],
            [1, 1, 1, 2, 1]
        );
        let delay = delay.expect("packets were delivered");
        assert_eq!([delay.least, delay.mean, delay.most], [70.0, 75.0, 80.0]);
    }
}
