//! The way out of every `produce`: the topic, a sender, and the one line at the end.

use std::time::Instant;

use crate::cli::failure::{Code, Failure};
use crate::cli::topic::{begin, print};
use crate::config::Config;
use crate::produce::connection::Connection;
use crate::produce::limits::Limits;
use crate::produce::progress::{self, Progress};
use crate::produce::sender::Sender;
use crate::produce::stop::Stop;
use crate::produce::topics::Topics;
use crate::say::say;

/// Where to send.
#[derive(clap::Args, Debug)]
pub(super) struct Target {
    #[command(flatten)]
    connection: Connection,
    /// Topic to send to [default: the first of the configuration, else posts]
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Partitions of the topic, where it has to be made
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=100_000))]
    partitions: i32,
}

/// What of the outlet depends on what is sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needs {
    /// Posts are old, so that a topic made here keeps them for ever.
    pub(super) keep: bool,
    /// It goes on for days, so that no record is given up while Kafka is away.
    pub(super) patient: bool,
    /// How many bytes there are to read, where that is known.
    pub(super) end: Option<u64>,
}

/// A sender for the topic that the flags name, with what the topic allows.
pub(super) struct Outlet {
    pub(super) sender: Sender,
    pub(super) limits: Limits,
    pub(super) stop: Stop,
    pub(super) topic: String,
    begun: Instant,
}

impl Outlet {
    /// Connects, and makes the topic if it is not there.
    pub(super) fn open(target: &Target, needs: Needs) -> Result<(Self, Config), Failure> {
        let config = begin(&target.connection)?;
        let topic = target.topic.clone().or_else(|| config.kafka.topics.first().cloned());
        let topic =
            topic.ok_or_else(|| Failure::new(Code::Config, "no topic is set: name one with --topic"))?;
        let topics = Topics::connect(&config.kafka)?;
        let for_ever = [("retention.ms".to_owned(), "-1".to_owned())];
        let made = topics.ensure(&topic, target.partitions, if needs.keep { &for_ever } else { &[] })?;
        if made {
            say(format_args!("topic {topic} has been made, with {} partitions", target.partitions));
        }
        // Not every broker tells everybody its settings; then nothing can be warned of.
        let settings = topics.settings(&topic).unwrap_or_default();
        let limits = Limits::new(&topic, &settings);
        let stop = Stop::on_signals().map_err(|error| Failure::new(Code::Io, format!("signals: {error}")))?;
        let progress = needs.end.map_or_else(Progress::new, |end| Progress::new().to(end));
        let begun = progress.begun();
        let make = if needs.patient { Sender::patient } else { Sender::new };
        let sender = make(&config.kafka, &topic, stop.clone(), progress)?;
        Ok((Self { sender, limits, stop, topic, begun }, config))
    }

    /// Waits for what is on its way, prints the summary, and fails where something was not delivered.
    pub(super) fn close(self, trouble: Option<Failure>) -> Result<(), Failure> {
        let (tally, why) = self.sender.finish();
        print(&format!("{}\n", progress::summary(&tally, self.begun.elapsed(), &self.topic)))?;
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        match why {
            Some(why) => {
                let all = tally.posts + tally.failed;
                Err(Failure::new(
                    Code::Io,
                    format!("{} of {all} records were not delivered: {why}", tally.failed),
                ))
            }
            None => Ok(()),
        }
    }
}
