//! The program's own log, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::failure::{Code, Failure};
use crate::config::{Log, LogFormat};

/// Sets it up; to be called once, before anything is logged.
///
/// # Errors
/// Where the level is no filter.
pub fn init(log: &Log) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| {
        Failure::new(Code::Config, format!("log.level {:?} is no level and no filter: {error}", log.level))
    })?;
    // It would say on standard error that it cannot write there, which is a panic, and the end of what runs.
    let lines = tracing_subscriber::fmt().log_internal_errors(false);
    let lines = lines.with_env_filter(filter).with_writer(std::io::stderr);
    // It fails only where a log has been set up already, which is then as good.
    let _ = match log.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}
