//! The settings as the rest of the program takes them: plain data, every value checked.
//!
//! Idea: text is parsed once, here at the edge; what comes out carries the decisions in its types, so that no other
//! module parses a duration or a window again. The field names and defaults are those of the documented file.
//! Invariant: a `Config` made by [`super::load`] is valid as a whole: slides nest, names are unique, kinds exist.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use crate::posts::{Format, Pointers};
use crate::terms::Kind;

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where posts come from.
    pub kafka: Kafka,
    /// How records are read as posts.
    pub posts: Posts,
    /// How they are counted.
    pub engine: Engine,
    /// What is counted: at least one, with unique names.
    pub counts: Vec<Count>,
    /// The HTTP server.
    pub http: Http,
    /// Several processes as one.
    pub cluster: Cluster,
    /// Where state is kept across restarts.
    pub checkpoint: Checkpoint,
    /// The program's own log.
    pub log: Log,
}

/// `[kafka]`
#[derive(Clone, Debug)]
pub struct Kafka {
    /// Bootstrap servers, `host:port` separated by commas.
    pub brokers: String,
    /// Topics to read, all partitions of each; at least one.
    pub topics: Vec<String>,
    /// Where a first start begins to read.
    pub start: Start,
    /// The group under which offsets are committed, for lag tools only.
    pub group_id: String,
    /// What to do where records were lost before they could be read.
    pub on_gap: OnGap,
    /// Properties handed to librdkafka as they are.
    pub properties: BTreeMap<String, Property>,
}

impl Kafka {
    /// Whether records of transactions that were aborted are read as well. librdkafka takes any case.
    pub fn reads_aborted(&self) -> bool {
        let level = self.properties.get("isolation.level");
        level.is_some_and(|level| level.value.eq_ignore_ascii_case("read_uncommitted"))
    }
}

/// The value of a librdkafka property; never printed when its name or origin says that it is secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Property {
    /// The value itself.
    pub value: String,
    /// Whether to show `***` in its place.
    pub secret: bool,
}

impl std::fmt::Debug for Property {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.secret { f.write_str("***") } else { write!(f, "{:?}", self.value) }
    }
}

/// Where a first start begins to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The oldest record that the broker holds.
    Earliest,
    /// Behind the newest record at the moment of the start.
    Latest,
    /// The first record whose timestamp is at least this, in Unix milliseconds.
    Time(i64),
    /// The first record that is at most this old at the moment of the start.
    Ago(Duration),
}

/// What to do where records were lost before they could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnGap {
    /// Stop with exit code 65.
    Stop,
    /// Go on, and name the gap in every stamp.
    Continue,
}

/// `[posts]`
#[derive(Clone, Debug)]
pub struct Posts {
    /// The shape of a record.
    pub format: Format,
    /// For `json`: where the text is, and where the other fields may be. That of the time is written as the value of
    /// `posts.time`, where it implies [`Time::Post`].
    pub pointers: Pointers,
    /// Which time a post has.
    pub time: Time,
    /// Whether reposts count.
    pub reposts: Reposts,
    /// What to do with a record that is no post.
    pub on_bad: OnBad,
    /// Topic for the raw bytes of bad records; `None`: nowhere.
    pub dead_letter_topic: Option<String>,
}

/// Which time a post has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// That of its Kafka record.
    Record,
    /// Its own, else that of its record.
    Post,
}

/// Whether reposts count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reposts {
    /// By their full original text.
    Count,
    /// Not at all.
    Skip,
}

/// What to do with a record that is no post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBad {
    /// Count it by reason and go on.
    Count,
    /// Stop.
    Fail,
}

/// `[engine]`
#[derive(Clone, Debug)]
pub struct Engine {
    /// Worker threads of this process, at least 1.
    pub workers: usize,
    /// The least time between two closings of an epoch.
    pub epoch: Duration,
    /// By which clock windows end.
    pub clock: Clock,
    /// Live terms of one count beyond which new ones are not taken.
    pub max_terms: usize,
}

/// By which clock windows end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The wall clock once every partition is caught up, the newest event time before.
    Wall,
    /// The newest event time.
    Event,
}

/// `[[count]]`: a named table of term counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Its name in the HTTP interface.
    pub name: String,
    /// What is counted.
    pub of: Kind,
    /// Its windows in the order of the file, at least one.
    pub windows: Vec<Window>,
    /// Languages whose stop words are left out.
    pub stop_words: Vec<String>,
    /// Least length of a term in characters.
    pub min_length: usize,
    /// Only posts in these languages, BCP 47 tags in lower case; empty: all.
    pub languages: Vec<String>,
    /// Only posts with one of these terms; empty: all.
    pub track: Vec<String>,
}

/// A window of a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its name as the file has it: `5m`, `5m/5s`, `all`.
    pub name: String,
    /// `None`: all time.
    pub span: Option<Span>,
}

/// Size and slide of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Milliseconds, a multiple of the slide.
    pub size_ms: u64,
    /// Milliseconds, at least 1.
    pub slide_ms: u64,
}

/// `[http]`
#[derive(Clone, Debug)]
pub struct Http {
    /// Address to listen on, `ip:port`.
    pub bind: std::net::SocketAddr,
    /// A second, plain listener for health and metrics.
    pub health_bind: Option<std::net::SocketAddr>,
    /// File with the bearer token.
    pub token_file: Option<PathBuf>,
    /// File with the TLS certificate chain (PEM).
    pub tls_cert: Option<PathBuf>,
    /// File with the TLS key (PEM).
    pub tls_key: Option<PathBuf>,
    /// Origins allowed by CORS.
    pub cors: Vec<String>,
    /// Connections at once, at most.
    pub max_connections: usize,
    /// Event streams at once, at most.
    pub max_streams: usize,
}

/// `[cluster]`
#[derive(Clone, Debug)]
pub struct Cluster {
    /// `host:port` of each process, in order; empty: one process.
    pub hosts: Vec<String>,
    /// Index of this process in `hosts`.
    pub process: usize,
    /// Name that all processes of a cluster share.
    pub id: String,
    /// File with the secret that all processes of a cluster share.
    pub secret_file: Option<PathBuf>,
}

/// `[checkpoint]`
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Address, `file://` or, in builds that have it, `s3://`; `None`: no checkpoints.
    pub dir: Option<String>,
    /// Time between two checkpoints.
    pub interval: Duration,
    /// Load nothing of what is kept and begin anew: a wish of one start, so it is a flag and no setting.
    pub fresh: bool,
}

/// `[log]`
#[derive(Clone, Debug)]
pub struct Log {
    /// Text for people, JSON for collectors.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,tidings::source=debug`.
    pub level: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text an event.
    Text,
    /// One JSON object an event.
    Json,
}
