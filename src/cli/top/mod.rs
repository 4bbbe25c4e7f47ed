//! `tidings top`: a ranking, live in the terminal.
//!
//! Idea: the engine's own stream, followed by one task; a screen where there is a terminal, plain lines where there is
//! none. What is wrong at the beginning is said at once, with what to do; what goes wrong later is waited out.

mod client;
mod draw;
mod follow;
mod plain;
mod screen;
mod state;
mod target;
mod wire;

use std::io::IsTerminal;
use std::path::PathBuf;

use tokio::signal::unix::SignalKind;
use tokio::sync::{mpsc, watch};

use self::client::{Client, ClientError};
use self::follow::Wish;
use self::plain::PlainError;
use self::screen::ScreenError;
use self::state::{Count, State};
use self::target::Target;
use super::failure::{Code, Failure};
use super::stopping::listen_for;
use crate::outward::connector;

/// Places on a screen, which shows as many as fit, and in plain lines.
const PLACES: (usize, usize) = (100, 10);

/// Show a ranking live in the terminal, from a running engine
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tidings top\n  \
    tidings top --url https://counts.example --count words --window 1h\n  \
    tidings top --updates 1 | cut -s -f 3\n\n\
    Where the output is no terminal, each ranking is printed as lines: one that begins with # and says when, then rank, \
    count and term with tabs between, then an empty one.")]
pub struct Args {
    /// Address of the engine
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: Target,
    /// Which count [default: the engine's first]
    #[arg(long)]
    count: Option<String>,
    /// Which window [default: the count's first]
    #[arg(long)]
    window: Option<String>,
    /// Places [default: 10; on a terminal as many as fit]
    #[arg(short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    k: Option<u64>,
    /// Print plain lines and end after so many rankings
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    updates: Option<u64>,
    /// PEM file of the authorities that signed the engine's certificate, or that certificate itself [default: those that browsers trust]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// File that holds the engine's token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Runs until the user has seen enough.
///
/// # Errors
/// Where there is no engine at the address, it refuses, or the terminal cannot be used.
pub fn run(args: Args) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::Io, format!("cannot start a thread: {error}")))?;
    let done = runtime.block_on(show(args));
    // What waits for a key or an address would keep the program.
    runtime.shutdown_background();
    done
}

async fn show(args: Args) -> Result<(), Failure> {
    let on_screen = args.updates.is_none() && std::io::stdout().is_terminal();
    let tls = connector(args.ca_file.as_deref()).map_err(|why| {
        let file = args.ca_file.unwrap_or_default();
        Failure::new(Code::Usage, format!("--ca-file {}: {why}", file.display()))
    })?;
    let client = Client::new(args.url, tls, args.token_file);
    let counts: Vec<Count> = client.json("/v1/counts").await?;
    let Some(first) = counts.first() else {
        return Err(Failure::new(Code::Io, format!("{} counts nothing", client.target())));
    };
    let count = args.count.unwrap_or_else(|| first.name.clone());
    let k = args.k.map_or(if on_screen { PLACES.0 } else { PLACES.1 }, |k| k as usize);
    let wish = Wish { count, window: args.window, k };
    let (wishes, wished) = watch::channel(wish.clone());
    let (tell, news) = mpsc::channel(1);
    let state = State::new(counts, wish);
    let stop = stopped()?;
    tokio::spawn(follow::follow(client, wished, tell));
    if on_screen {
        Ok(screen::show(state, wishes, news, stop).await?)
    } else {
        let printed = plain::print(state, args.updates, news, stop).await;
        drop(wishes);
        Ok(printed?)
    }
}

/// Completes at SIGTERM, SIGINT or SIGHUP.
fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = listen_for(SignalKind::terminate())?;
    let mut interrupt = listen_for(SignalKind::interrupt())?;
    let mut hang_up = listen_for(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {}, _ = hang_up.recv() => {} }
    })
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        let code = match &error {
            ClientError::Refused { temporary: false, .. } | ClientError::Token { .. } => Code::Usage,
            _ => Code::Io,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<ScreenError> for Failure {
    fn from(error: ScreenError) -> Failure {
        match error {
            ScreenError::Client(error) => error.into(),
            ScreenError::Terminal(_) => Failure::new(Code::Io, error.to_string()),
        }
    }
}

impl From<PlainError> for Failure {
    fn from(error: PlainError) -> Failure {
        match error {
            PlainError::Client(error) => error.into(),
            PlainError::Output(_) => Failure::new(Code::Io, error.to_string()),
        }
    }
}
