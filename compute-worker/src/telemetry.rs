//! Logs.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("{filter:?} is no log filter ({reason}); write a level such as info, or target=level pairs such as info,openledger_worker=debug")]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Logging was started before in this process.
    #[error("logging was started twice in one process: {0}")]
    Started(String),
}

/// Reads a filter such as `info` or `warn,openledger_worker=debug`.
fn parse(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::try_new(filter).map_err(|error| TelemetryError::Filter {
        filter: filter.into(),
        reason: error.to_string(),
    })
}

/// Writes log lines that pass `filter` to the standard error, as text or one JSON object a line.
pub fn start(filter: &str, json: bool) -> Result<(), TelemetryError> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(parse(filter)?)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
    started.map_err(|error| TelemetryError::Started(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_levels_and_targets_are_filters() {
        for filter in ["info", "warn,openledger_worker=debug", "off"] {
            assert!(parse(filter).is_ok(), "{filter}");
        }
    }

    #[test]
    fn fails_when_the_filter_is_nonsense() {
        let error = parse("openledger_worker=loud").unwrap_err();
        assert!(
            error.to_string().contains("openledger_worker=loud"),
            "{error}"
        );
    }
}
