//! What the sources of the network have in common on the command line.
//!
//! Idea: the source runs on a thread of its own and fills an inbox; the main thread empties it into Kafka, and ends when
//! the other has ended and the inbox is empty. So a stop loses nothing that was received.

use std::path::PathBuf;
use std::time::Duration;

use super::outlet::{Needs, Outlet, Target};
use crate::cli::failure::{Code, Failure};
use crate::config::{Config, Format, parse_duration};
use crate::posts::Decoder;
use crate::produce::live::deliver::{DeliverError, Delivery, deliver};
use crate::produce::live::dial::{AuthorityError, Dialer};
use crate::produce::live::follow::{Source, follow};
use crate::produce::live::inbox::inbox;
use crate::produce::live::known::{Known, known};
use crate::produce::live::seen::Seen;
use crate::produce::live::token::TokenError;

/// Flags of every source of the network.
#[derive(clap::Args, Debug)]
pub(super) struct Flags {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    pub(super) trust: Trust,
}

/// Whom to trust.
#[derive(clap::Args, Debug)]
pub(super) struct Trust {
    /// Authorities of the server's certificate in PEM form [default: those that browsers trust]
    #[arg(long, value_name = "FILE", global = true)]
    ca_file: Option<PathBuf>,
}

impl Trust {
    pub(super) fn dialer(&self) -> Result<Dialer, Failure> {
        Ok(Dialer::new(self.ca_file.as_deref())?)
    }
}

/// A source as its command line describes it.
pub(super) struct Described {
    /// What the header `source` says.
    pub(super) name: &'static str,
    /// The shape of its messages.
    pub(super) format: Format,
    /// Languages of posts to be sent; empty: all.
    pub(super) languages: Vec<String>,
}

/// Follows sources until the user asks to stop. `make` is told what the topic holds of this source already.
pub(super) fn run<S: Source + Send + 'static>(
    flags: &Flags,
    described: Described,
    make: impl FnOnce(&Known) -> Vec<S>,
) -> Result<(), Failure> {
    let needs = Needs { patient: true, ..Needs::default() };
    let (mut outlet, config) = Outlet::open(&flags.target, needs)?;
    let known = known(&config.kafka, &outlet.topic, described.name)?;
    let mut seen = Seen::default();
    for id in &known.ids {
        seen.insert(id);
    }
    let delivery = Delivery {
        source: described.name,
        decoder: decoder(&config, described.format)?,
        languages: described.languages.iter().map(|language| language.to_ascii_lowercase()).collect(),
        seen,
    };
    let sources = make(&known);
    let (inbox, events) = inbox();
    let stop = outlet.stop.clone();
    let thread = |error: std::io::Error| Failure::new(Code::Io, format!("a thread: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(thread)?;
    std::thread::Builder::new()
        .name("source".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let followed = sources.into_iter().map(|mut source| {
                    let (inbox, stop) = (inbox.clone(), stop.clone());
                    async move { follow(&mut source, &inbox, &stop).await }
                });
                futures_util::future::join_all(followed).await;
            });
        })
        .map_err(thread)?;
    let delivered = deliver(&mut outlet.sender, &events, delivery, &mut outlet.limits);
    let (left, trouble) = match delivered {
        Ok(left) => (left, None),
        Err((left, DeliverError::Refused(text))) => (left, Some(Failure::new(Code::Config, text))),
        Err((left, error)) => (left, Some(Failure::new(Code::Io, error.to_string()))),
    };
    outlet.sender.say(&match left.words() {
        words if words.is_empty() => "nothing was left out".to_owned(),
        words => format!("not sent: {words}"),
    });
    outlet.close(trouble)
}

/// Reads messages of one shape, whatever the configuration says of the topic.
fn decoder(config: &Config, format: Format) -> Result<Decoder, Failure> {
    Decoder::new(format, &config.posts.pointers)
        .map_err(|error| Failure::new(Code::Config, error.to_string()))
}

/// After how long without a word a connection is dead.
pub(super) fn silence(text: &str) -> Result<Duration, String> {
    let silence = parse_duration(text)?;
    match silence >= Duration::from_millis(100) {
        true => Ok(silence),
        false => Err("at least 100ms".to_owned()),
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Failure::new(Code::Config, error.to_string())
    }
}

impl From<AuthorityError> for Failure {
    fn from(error: AuthorityError) -> Self {
        Failure::new(Code::Config, error.to_string())
    }
}
