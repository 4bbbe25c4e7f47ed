//! `tidings run`: the engine on Kafka topics, asked over HTTP.

use std::io::Write;
use std::path::PathBuf;

use super::failure::{Code, Failure};
use super::log;
use super::serving::run_until_stopped;
use crate::cluster::{ClusterError, form, hosts, secret};
use crate::config::{Config, ConfigFlags, Override, load_found};
use crate::engine::{self, EngineError};
use crate::serve::{Access, ServeError};
use crate::source::trim;

/// Flags of `tidings run`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tidings run --brokers localhost:9092 --topic posts\n  \
    tidings run -c tidings.toml -w 2\n  \
    tidings run -c tidings.toml --hosts hosts --process 1\n  \
    curl 'localhost:8080/v1/counts/hashtags/top?window=5m&k=10'\n\n\
    SIGHUP reads the token, the certificate and its key anew.\n\
    Ctrl-C or SIGTERM stops it: it closes the epoch, publishes it and ends with 0; a second signal ends it at once.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigFlags,
    /// File with the address of each process of the cluster, host:port, a line each
    #[arg(long, value_name = "FILE")]
    hosts: Option<PathBuf>,
    /// Which of the lines of --hosts this process is; the first is 0
    #[arg(long, value_name = "I")]
    process: Option<u32>,
    /// Stop when standard input ends, as at a signal: for whoever starts this process and may die before it
    #[arg(long, hide = true)]
    until_input_ends: bool,
    /// Answer on addresses beyond loopback to whoever asks
    #[arg(long)]
    allow_anonymous: bool,
    /// Leave the checkpoints that there are alone, and begin to count anew
    #[arg(long)]
    start_fresh: bool,
}

/// Runs until a signal, or until the source cannot go on.
///
/// # Errors
/// What is wrong with the configuration, the topics or the address; later, why reading cannot go on.
pub fn run(args: Args) -> Result<(), Failure> {
    let loaded = load_found(args.config.config.as_deref(), args.overrides()?)?;
    if args.config.print_config {
        // Whoever closed the pipe has seen enough.
        let _ = std::io::stdout().write_all(loaded.print().as_bytes());
        return Ok(());
    }
    let config = &loaded.config;
    log::init(&config.log)?;
    loaded.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
    refuse(config, args.allow_anonymous)?;
    let mut config = config.clone();
    config.checkpoint.fresh = args.start_fresh;
    run_until_stopped(&loaded.config, args.until_input_ends, move |_, phase| {
        let mesh = form::form(&config, engine::keep::last_run(&config)?)?;
        phase.starts();
        let engine = engine::start(&config, engine::Input::Kafka, mesh)?;
        trim::start().map_err(|error| EngineError::Threads(error.to_string()))?;
        let (topics, partitions) = (config.kafka.topics.join(", "), engine.reader().partitions().len());
        tracing::info!(topics, partitions, workers = config.engine.workers, "reading");
        Ok(engine)
    })
}

impl Args {
    /// The settings that the flags change.
    fn overrides(&self) -> Result<Vec<Override>, ClusterError> {
        let mut overrides = self.config.overrides();
        if let Some(path) = &self.hosts {
            let value = hosts::read(path)?.into();
            overrides.push(Override { key: "cluster.hosts", value, flag: "--hosts" });
        }
        if let Some(process) = self.process {
            let value = i64::from(process).into();
            overrides.push(Override { key: "cluster.process", value, flag: "--process" });
        }
        Ok(overrides)
    }
}

/// Refuses what is known not to run before Kafka is asked, a port taken, or a worker started; returns who may ask.
pub(super) fn refuse(config: &Config, allow_anonymous: bool) -> Result<Access, Failure> {
    refuse_strangers(config, allow_anonymous)?;
    let access = Access::load(&config.http).map_err(ServeError::from)?;
    // Also where this process is alone: --hosts may name others at the next start.
    secret::key(config.cluster.secret_file.as_deref())?;
    engine::start::check(config)?;
    Ok(access)
}

/// Whoever reaches an address can ask, so one beyond loopback needs a token or has to be wanted. The listener for health
/// never asks for the token; where there is one, its address has been chosen by somebody who thought of access.
pub(super) fn refuse_strangers(config: &Config, allow_anonymous: bool) -> Result<(), Failure> {
    let asked = config.http.token_file.is_some();
    let mut addresses = [Some(config.http.bind), config.http.health_bind].into_iter().flatten();
    match addresses.find(|address| !address.ip().is_loopback() && !allow_anonymous && !asked) {
        None => Ok(()),
        Some(address) => Err(Failure::new(
            Code::Config,
            format!(
                "{address} is not a loopback address, and whoever reaches it could ask; set \
                 `http.token_file`, bind 127.0.0.1, or say --allow-anonymous"
            ),
        )),
    }
}
