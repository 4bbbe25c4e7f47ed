//! `tidings run`: the engine on Kafka topics, asked over HTTP.

use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::{Code, Failure};
use super::log;
use crate::cluster::{ClusterError, hosts, mesh};
use crate::config::{Config, ConfigFlags, Override, load_found};
use crate::engine::{self, Engine, EngineError};
use crate::serve::{self, Access, ServeError};

/// How long stopping may take before the process ends anyway.
const LONGEST_STOP: Duration = Duration::from_secs(30);

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
    run_until_stopped(&loaded.config, args.until_input_ends, move |_| {
        let mesh = mesh::form(&config, engine::keep::last_run(&config)?)?;
        let engine = engine::start(&config, engine::Input::Kafka, mesh)?;
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

/// Refuses what is known not to run before Kafka is asked, a port taken, or a worker started.
pub(super) fn refuse(config: &Config, allow_anonymous: bool) -> Result<(), Failure> {
    refuse_strangers(config, allow_anonymous)?;
    Access::load(&config.http).map_err(ServeError::from)?;
    Ok(engine::start::check(config)?)
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

/// Serves an engine until a signal comes or the engine ends by itself; or, if that is wanted, standard input ends.
pub(super) fn run_until_stopped(
    config: &Config,
    until_input_ends: bool,
    start: impl FnOnce(SocketAddr) -> Result<Engine, EngineError> + Send + 'static,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("http")
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::Io, format!("cannot start the threads that answer: {error}")))?;
    let done = runtime.block_on(async {
        // The address first: that it is taken should be known before anything is read.
        let listener = serve::listen(&config.http).await?;
        let (signals, input) = (signals()?, end_of_input(until_input_ends)?);
        let mut signals = std::pin::pin!(async move {
            tokio::select! { () = signals => {}, () = input => {} }
        });
        let address = listener.local_addr();
        let access = listener.access();
        access.warn();
        if access.is_reloadable() {
            reload_at_signals(access.clone())?;
        }
        // Kafka may take its time to answer; a signal must not wait for it.
        let engine = tokio::select! {
            started = tokio::task::spawn_blocking(move || start(address)) => {
                started.map_err(|error| Failure::new(Code::Bug, format!("starting panicked: {error}")))??
            }
            () = &mut signals => return Ok(()),
        };
        let (reader, control) = (engine.reader(), engine.control());
        let scheme = if access.is_encrypted() { "https" } else { "http" };
        tracing::info!("answering on {scheme}://{address}");
        if let Some(address) = listener.health_addr() {
            tracing::info!("health and metrics on http://{address}");
        }
        let (stop_serving, stopped) = tokio::sync::oneshot::channel::<()>();
        let served = tokio::spawn(serve::run(listener, reader.clone(), async {
            let _ = stopped.await;
        }));
        let mut engine = tokio::task::spawn_blocking(move || engine.join());
        let ended = tokio::select! {
            ended = &mut engine => ended,
            () = &mut signals => {
                tracing::info!("stopping: closing the epoch; a second signal ends at once");
                reader.drain();
                control.stop();
                match tokio::time::timeout(LONGEST_STOP, engine).await {
                    Ok(ended) => ended,
                    Err(_) => return Err(Failure::new(Code::Bug, "the workers did not stop within 30 s")),
                }
            }
        };
        let _ = stop_serving.send(());
        let _ = served.await;
        ended.map_err(|error| Failure::new(Code::Bug, format!("the engine panicked: {error}")))??;
        Ok(())
    });
    // A thread that does not end must not keep the process: what was to be done has been done, or cannot be.
    runtime.shutdown_background();
    done
}

/// Completes at the first SIGTERM or SIGINT; the second ends the process.
pub(super) fn signals() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = listen_for(SignalKind::terminate())?;
    let mut interrupt = listen_for(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            // What a shell reports for a program that a signal ended.
            std::process::exit(130);
        });
    })
}

/// Completes when standard input ends, or never where that is not wanted.
fn end_of_input(wanted: bool) -> Result<impl Future<Output = ()>, Failure> {
    let (ended, hears) = tokio::sync::oneshot::channel::<()>();
    if wanted {
        let read = move || {
            // Whatever comes means nothing; an error is an end too.
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            let _ = ended.send(());
        };
        let thread = std::thread::Builder::new().name("input".to_owned()).spawn(read);
        thread.map_err(|error| Failure::new(Code::Io, format!("cannot start a thread: {error}")))?;
    }
    Ok(async move {
        match hears.await {
            Ok(()) => {}
            Err(_) => std::future::pending().await,
        }
    })
}

/// Reads what says who may ask anew at each SIGHUP. Without anything to read the signal keeps its usual meaning, so that a
/// server ends with its terminal.
fn reload_at_signals(access: serve::Access) -> Result<(), Failure> {
    let mut signals = listen_for(SignalKind::hangup())?;
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            let access = access.clone();
            // A file may be where reading takes its time. That it panicked has been said already.
            let _ = tokio::task::spawn_blocking(move || access.reload()).await;
        }
    });
    Ok(())
}

/// Hears a signal from now on.
pub(super) fn listen_for(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(Code::Io, format!("cannot listen for signals: {error}")))
}
