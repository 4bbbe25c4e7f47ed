//! What each metric is: the one list from which metrics are registered and their documentation is written.
//!
//! Idea: a name stands in this program once. `docs/metrics.md` is this list as a table, and a test scrapes a server and
//! holds what it says against the list.
//! Invariant: names follow Prometheus: base units at the end, no unit but seconds and bytes; a counter's samples end in
//! `_total`, which is not part of the name here.
//! Cost: none while running.

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Metric, Registry};

/// One metric.
pub struct About {
    /// Its name without the endings that samples have.
    pub name: &'static str,
    /// What it measures, in one line.
    pub help: &'static str,
    /// What it is.
    pub kind: MetricType,
    /// Its labels, each with what its values are.
    pub labels: &'static [(&'static str, &'static str)],
}

const fn counter(name: &'static str, help: &'static str) -> About {
    About { name, help, kind: MetricType::Counter, labels: &[] }
}

const fn gauge(name: &'static str, help: &'static str) -> About {
    About { name, help, kind: MetricType::Gauge, labels: &[] }
}

impl About {
    const fn by(mut self, labels: &'static [(&'static str, &'static str)]) -> About {
        self.labels = labels;
        self
    }

    /// Puts a metric of this kind into the registry.
    pub fn register(&self, registry: &mut Registry, metric: impl Metric) {
        registry.register(self.name, self.help, metric);
    }

    /// Begins a metric of this kind, or a family of them, where its values are read when it is asked for.
    ///
    /// # Errors
    /// Those of writing.
    pub fn describe<'a>(
        &self,
        encoder: &'a mut DescriptorEncoder<'_>,
    ) -> Result<prometheus_client::encoding::MetricEncoder<'a>, std::fmt::Error> {
        encoder.encode_descriptor(self.name, self.help, None, self.kind)
    }
}

const ROUTE: (&str, &str) =
    ("route", "the path as `/openapi.json` has it; `other` for all paths that there are not");
const PARTITION: &[(&str, &str)] =
    &[("topic", "the topic"), ("partition", "the number of the partition in it")];

const PROCESS: &[(&str, &str)] = &[("process", "the number of the other process")];

/// The version.
pub const BUILD: About = About {
    name: "tidings_build",
    help: "The version of this program, always 1",
    kind: MetricType::Info,
    labels: &[("version", "the version")],
};
/// Requests.
pub const REQUESTS: About = counter("tidings_http_requests", "Requests answered, by route and status")
    .by(&[ROUTE, ("status", "the status of the answer")]);
/// Their durations.
pub const SECONDS: About = About {
    name: "tidings_http_request_duration_seconds",
    help: "Time until an answer was ready, without the time that it took to send it",
    kind: MetricType::Histogram,
    labels: &[ROUTE],
};
/// Connections.
pub const CONNECTIONS: About =
    gauge("tidings_http_connections", "Connections that are open, event streams among them");
/// Panics.
pub const PANICS: About =
    counter("tidings_http_panics", "Requests that met a bug and were answered with 500");
/// Clients that do not read.
pub const DROPPED: About = counter(
    "tidings_http_dropped_connections",
    "Connections ended since their client did not take what it was sent, streams among them",
);
/// Clients that speak something else.
pub const MISTAKES: About = counter("tidings_http_mistakes", "Connections that did not speak what the port takes").by(&[(
    "mistake",
    "`plain_http`: where TLS is expected; `unexpected_tls`: where plain HTTP is; `broken_handshake`, `slow_handshake`: \
     of TLS",
)]);
/// The end of the certificate.
pub const EXPIRES: About = gauge(
    "tidings_tls_certificate_expiry_timestamp_seconds",
    "When the certificate expires, in seconds since the Unix epoch; only with TLS",
);
/// Streams.
pub const STREAMS: About = gauge("tidings_streams", "Event streams that are open");
/// Events.
pub const STREAM_EVENTS: About = counter("tidings_stream_events", "Events handed to clients, by name")
    .by(&[("event", "`snapshot`, `diff`, `progress`, `comment`")]);
/// States that were passed over.
pub const STREAM_SKIPPED: About =
    counter("tidings_stream_skipped", "Events that a slow client was not sent, since there was a newer one");
/// Readiness.
pub const READY: About = gauge("tidings_ready", "Whether the engine is ready, as `/readyz` says: 1 or 0");
/// Processes.
pub const PROCESSES: About = gauge("tidings_processes", "Processes of the cluster");
/// Workers.
pub const WORKERS: About = gauge("tidings_workers", "Workers of all processes together");
/// Silence.
pub const PEER_SILENCE: About = gauge(
    "tidings_peer_silence_seconds",
    "For how long nothing has been heard of another process of the cluster",
)
.by(PROCESS);
/// Another process's epoch.
pub const PEER_EPOCH: About = gauge(
    "tidings_peer_epoch_timestamp_seconds",
    "When the newest epoch that another process has published closed, in seconds since the Unix epoch",
)
.by(PROCESS);
/// Posts.
pub const POSTS: About = counter("tidings_posts", "Records that are posts");
/// Late posts.
pub const LATE: About = counter("tidings_late_posts", "Posts older than the smallest window when they came");
/// Posts of the future.
pub const AHEAD: About = counter("tidings_ahead_posts", "Posts more than 24 hours ahead of the wall clock");
/// Posts without a time.
pub const UNDATED: About = counter("tidings_undated_posts", "Posts without a usable time");
/// Terms that are not counted.
pub const TOO_LONG: About =
    counter("tidings_too_long_terms", "Occurrences of terms of more than 256 bytes, which are not counted");
/// Bad records.
pub const BAD: About = counter("tidings_bad_records", "Records that should be posts and are not, by reason")
    .by(&[("reason", "why, as `/v1/status` has it")]);
/// Other records.
pub const OTHER: About =
    counter("tidings_other_records", "Records that are no posts and need not be, by kind")
        .by(&[("kind", "what they are, as `/v1/status` has it")]);
/// Dead letters.
pub const DEAD_LETTERS: About = counter(
    "tidings_dead_letters",
    "Bad records sent to the dead letter topic, by what became of them; only where there is such a topic",
)
.by(&[("fate", "`written`, `lost`")]);
/// The newest epoch.
pub const EPOCH: About =
    gauge("tidings_epoch_timestamp_seconds", "When the newest epoch closed, in seconds since the Unix epoch");
/// Its age.
pub const EPOCH_AGE: About = gauge(
    "tidings_epoch_age_seconds",
    "How long ago the newest epoch closed, by the wall clock: below 0 where that was set back since, and a leap of it while that is not believed",
);
/// The clock.
pub const CLOCK: About = gauge(
    "tidings_clock_timestamp_seconds",
    "Event time at which windows end, in seconds since the Unix epoch",
);
/// Positions.
pub const OFFSET: About = gauge("tidings_partition_offset", "Next offset that is read").by(PARTITION);
/// Ends.
pub const END_OFFSET: About =
    gauge("tidings_partition_end_offset", "Offset behind the last record, as far as known").by(PARTITION);
/// Lag.
pub const LAG: About = gauge("tidings_partition_lag", "Records that have not been read yet").by(PARTITION);
/// Checkpoints.
pub const CHECKPOINT: About = gauge(
    "tidings_checkpoint_timestamp_seconds",
    "When the newest checkpoint of this run was written, in seconds since the Unix epoch; only where they are kept",
);
/// Their size.
pub const CHECKPOINT_SIZE: About =
    gauge("tidings_checkpoint_size_bytes", "What the newest checkpoint of this run refers to");
/// How long they take.
pub const CHECKPOINT_SECONDS: About = gauge(
    "tidings_checkpoint_duration_seconds",
    "How long the newest checkpoint of this run took, from its epoch to its end",
);
/// Those that did not come about.
pub const CHECKPOINT_FAILURES: About = counter(
    "tidings_checkpoint_failures",
    "Checkpoints of this run that did not come about, counted by process 0; the one before goes on to stand",
);
/// Memory.
pub const MEMORY: About = gauge("process_resident_memory_bytes", "Resident memory");
/// Processor time.
pub const CPU: About = counter("process_cpu_seconds", "User and system time spent");

/// All of them.
#[cfg(test)]
pub const ALL: [&About; 36] = [
    &READY,
    &PROCESSES,
    &WORKERS,
    &PEER_SILENCE,
    &PEER_EPOCH,
    &POSTS,
    &LATE,
    &AHEAD,
    &UNDATED,
    &TOO_LONG,
    &BAD,
    &OTHER,
    &DEAD_LETTERS,
    &EPOCH,
    &EPOCH_AGE,
    &CLOCK,
    &OFFSET,
    &END_OFFSET,
    &LAG,
    &CHECKPOINT,
    &CHECKPOINT_SIZE,
    &CHECKPOINT_SECONDS,
    &CHECKPOINT_FAILURES,
    &REQUESTS,
    &SECONDS,
    &CONNECTIONS,
    &PANICS,
    &DROPPED,
    &MISTAKES,
    &EXPIRES,
    &STREAMS,
    &STREAM_EVENTS,
    &STREAM_SKIPPED,
    &BUILD,
    &MEMORY,
    &CPU,
];

/// Those that each process shows of the whole cluster, as far as it knows it: they are never to be summed.
#[cfg(test)]
pub const OF_THE_CLUSTER: [&About; 18] = [
    &PROCESSES,
    &WORKERS,
    &POSTS,
    &LATE,
    &AHEAD,
    &UNDATED,
    &TOO_LONG,
    &BAD,
    &OTHER,
    &EPOCH,
    &EPOCH_AGE,
    &CLOCK,
    &OFFSET,
    &END_OFFSET,
    &LAG,
    &CHECKPOINT,
    &CHECKPOINT_SIZE,
    &CHECKPOINT_SECONDS,
];
