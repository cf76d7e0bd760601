//! What can be asked of a running relay, one line each.

use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use crate::path::Conditions;

/// One line of the standard input.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// `delay MEAN SPREAD`: from now on a round trip takes MEAN milliseconds, SPREAD more or less.
    Delay {
        /// The mean of a round trip.
        mean: Duration,
        /// How far a round trip may be from its mean.
        spread: Duration,
    },
    /// `loss PERCENT`: from now on so many of a hundred packets are lost, in each direction.
    Loss {
        /// The probability with which a packet is lost.
        probability: f64,
    },
    /// `partition a,b|c,d`: from now on packets pass within these groups only.
    Partition(Vec<Vec<String>>),
    /// `heal`: no partition any longer.
    Heal,
    /// `statistics`: what has been carried since the start.
    Statistics,
}

/// More than any network takes, and short enough that clocks cannot run over.
const LONGEST_MILLISECONDS: f64 = 600_000.0;

impl Command {
    /// Reads a command.
    pub(crate) fn parse(line: &str) -> Result<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Ok(match words.as_slice() {
            ["delay", mean, spread] => {
                let (mean, spread) = (milliseconds(mean)?, milliseconds(spread)?);
                ensure!(
                    spread <= mean,
                    "a spread of {spread:?} around a mean of {mean:?} would deliver before sending"
                );
                Self::Delay { mean, spread }
            }
            ["loss", percent] => {
                let percent = number(percent)?;
                ensure!(
                    (0.0..=100.0).contains(&percent),
                    "the loss is a percentage between 0 and 100, not {percent}"
                );
                Self::Loss {
                    probability: percent / 100.0,
                }
            }
            ["partition", groups] => Self::Partition(
                groups
                    .split('|')
                    .map(|group| group.split(',').map(str::to_string).collect())
                    .collect(),
            ),
            ["heal"] => Self::Heal,
            ["statistics"] => Self::Statistics,
            _ => bail!(
                "unknown command '{}'; there are: delay MEAN SPREAD, loss PERCENT, partition A,B|C,D, heal, statistics",
                line.trim()
            ),
        })
    }

    /// Changes the conditions of all paths, if that is what the command is for.
    pub(crate) fn change(&self, conditions: &mut Conditions) {
        match self {
            Self::Delay { mean, spread } => {
                // A round trip is two ways, each with a draw of its own.
                conditions.one_way = *mean / 2;
                conditions.one_way_spread = *spread / 2;
            }
            Self::Loss { probability } => conditions.loss = *probability,
            Self::Partition(_) | Self::Heal | Self::Statistics => {}
        }
    }
}

fn number(text: &str) -> Result<f64> {
    let number: f64 = text
        .parse()
        .with_context(|| format!("'{text}' is no number"))?;
    ensure!(number.is_finite(), "'{text}' is no number");
    Ok(number)
}

fn milliseconds(text: &str) -> Result<Duration> {
    let number = number(text)?;
    ensure!(
        (0.0..=LONGEST_MILLISECONDS).contains(&number),
        "a delay is between 0 and {LONGEST_MILLISECONDS} milliseconds, not {number}"
    );
    Ok(Duration::from_secs_f64(number / 1_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> String {
        Command::parse(line)
            .expect_err("the command is wrong")
            .to_string()
    }

    #[test]
    fn commands_are_read() {
        assert_eq!(
            Command::parse("  delay 150  30 ").unwrap(),
            Command::Delay {
                mean: Duration::from_millis(150),
                spread: Duration::from_millis(30)
            }
        );
        assert_eq!(
            Command::parse("loss 0.5").unwrap(),
            Command::Loss { probability: 0.005 }
        );
        assert_eq!(
            Command::parse("partition a,b|c").unwrap(),
            Command::Partition(vec![vec!["a".into(), "b".into()], vec!["c".into()]])
        );
        assert_eq!(Command::parse("heal").unwrap(), Command::Heal);
        assert_eq!(Command::parse("statistics").unwrap(), Command::Statistics);
    }

    #[test]
    fn wrong_commands_are_named() {
        assert!(refused("").contains("unknown command ''"));
        assert!(refused("delay 150").contains("unknown command 'delay 150'"));
        assert!(refused("heal now").contains("unknown command"));
        assert!(refused("delay 20 30").contains("before sending"));
        assert!(refused("delay many 30").contains("'many' is no number"));
        assert!(refused("delay -1 0").contains("not -1"));
        assert!(refused("delay 1e9 0").contains("between 0 and 600000"));
        assert!(refused("loss 101").contains("not 101"));
        assert!(refused("loss NaN").contains("no number"));
    }

    #[test]
    fn a_round_trip_is_two_ways() {
        let mut conditions = Conditions::default();
        Command::parse("delay 150 30")
            .unwrap()
            .change(&mut conditions);
        Command::parse("loss 1").unwrap().change(&mut conditions);
        assert_eq!(conditions.one_way, Duration::from_millis(75));
        assert_eq!(conditions.one_way_spread, Duration::from_millis(15));
        assert_eq!(conditions.loss, 0.01);
    }
}
