//! From a post's intended time of sending to its being counted, at an even rate.
//!
//! Idea: one thread sends by the clock, whatever else happens; now and then a post is a probe with a word of its own. A second
//! one asks over HTTP for the words of all probes on their way, every two milliseconds; a third follows the stream of events,
//! whose stamps say which offsets are in them. A round is all of that with a program of its own; the broker stays, since one that
//! has just started takes time that the sender needs.
//! Invariant: what is called sent begins when the post was to be sent, not when it was; probes that are never seen are an
//! error. What asking adds, two milliseconds at most and the answer's own time, is part of the figure.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use serde_json::{Value, json};
use tidings::produce::synthetic::{Mix, Synthetic};

use crate::broker::Broker;
use crate::middle::spread;
use crate::probes::{Moment, Probes, word};
use crate::{Load, USUAL, configuration, events};

/// Posts that are sent again and again.
const MADE: usize = 100_000;

/// Between two probes; no multiple of an epoch, so that they come at all moments of one.
const PROBE: Duration = Duration::from_millis(97);

/// How long the last probe may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An even rate
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Posts a second
    #[arg(long, default_value_t = 10_000)]
    pub rate: u64,
    /// Seconds that are not counted
    #[arg(long, default_value_t = 10)]
    pub warm: u64,
    /// Seconds that are
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Length of an epoch in milliseconds
    #[arg(long, default_value_t = 50)]
    pub epoch: u64,
    /// Workers of the engine
    #[arg(long, default_value_t = 2)]
    pub workers: usize,
    /// Rounds, whose medians are shown
    #[arg(long, default_value_t = 1)]
    pub rounds: usize,
}

/// Hears where the broker put each probe, whose number goes with it, plus one.
struct Placed(Arc<Probes>);

impl ClientContext for Placed {}

impl ProducerContext for Placed {
    type DeliveryOpaque = usize;
    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        if let (Ok(message), Some(number)) = (result, number.checked_sub(1)) {
            self.0.placed(number, message.partition(), message.offset(), Instant::now());
        }
    }
}

/// What is measured of a probe: its name, from when, and until when.
const SPANS: [(&str, Moment, Moment); 4] = [
    ("sent until stored by the broker", Moment::Meant, Moment::Stored),
    ("sent until answered over HTTP", Moment::Meant, Moment::Asked),
    ("sent until in an event", Moment::Meant, Moment::Told),
    ("stored until answered over HTTP", Moment::Stored, Moment::Asked),
];

/// What came of one round.
pub struct Round {
    /// Posts that were sent.
    sent: u64,
    /// Posts a second that were to be sent.
    rate: u64,
    /// Share of a core that the program took.
    busy: f64,
    /// Milliseconds of every probe, ascending, for each of [`SPANS`].
    spans: [Vec<f64>; SPANS.len()],
}

/// Sends and measures, round by round.
pub fn run(args: &Args, broker: &Broker, folder: &Path) -> Result<(), String> {
    let rounds = (0..args.rounds.max(1)).map(|_| round(args, USUAL, broker, folder));
    show(args, &rounds.collect::<Result<Vec<_>, _>>()?);
    Ok(())
}

/// Prints what rounds came to.
pub fn show(args: &Args, rounds: &[Round]) {
    println!(
        "{} posts in {} rounds of {} s, {} a second wanted; epochs of {} ms; {} workers; {} % of a core",
        rounds.iter().map(|round| round.sent).sum::<u64>(),
        rounds.len(),
        args.warm + args.seconds,
        spread(0, rounds.iter().map(|round| round.rate as f64)),
        args.epoch,
        args.workers,
        spread(0, rounds.iter().map(|round| round.busy * 100.0))
    );
    println!("{:<34} {:>8} {:>22} {:>22} {:>22}  ms", "", "probes", "p50", "p99", "most");
    for (number, (name, ..)) in SPANS.into_iter().enumerate() {
        let probes: usize = rounds.iter().map(|round| round.spans[number].len()).sum();
        let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| {
            let at = |all: &Vec<f64>| all[((all.len() as f64 * share) as usize).min(all.len() - 1)];
            spread(1, rounds.iter().map(|round| at(&round.spans[number])))
        });
        println!("{name:<34} {probes:>8} {p50:>22} {p99:>22} {most:>22}");
    }
}

/// One round, under a load of its own.
pub fn round(args: &Args, load: Load<'_>, broker: &Broker, folder: &Path) -> Result<Round, String> {
    let text = configuration(broker.address(), "latest", args.workers, args.epoch, load);
    let mut program = load.start(folder, &text)?;
    let (probes, ended) = (Arc::new(Probes::default()), AtomicBool::new(false));
    let (address, since) = (program.address.clone(), Instant::now() + Duration::from_secs(args.warm));
    let spent = program.cpu();
    let (sent, took) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&address, &probes, &ended));
        let following = scope.spawn(|| events::follow(&address, load.topic, &probes, &ended));
        let sent = send(args, broker.address(), load.topic, &probes);
        let took = program.cpu() - spent;
        let waiting = Instant::now();
        while waiting.elapsed() < PATIENCE
            && [Moment::Asked, Moment::Told].iter().any(|moment| !probes.unseen(*moment).is_empty())
        {
            std::thread::sleep(PROBE);
        }
        ended.store(true, Ordering::Relaxed);
        // Why it ended says more than that it does not answer.
        program.lives()?;
        for thread in [asking, following] {
            thread.join().map_err(|_| "a thread panicked".to_owned())??;
        }
        Ok::<_, String>((sent?, took))
    })?;
    program.stop()?;
    let mut spans = [const { Vec::new() }; SPANS.len()];
    for (all, (_, from, to)) in spans.iter_mut().zip(SPANS) {
        *all = probes.latencies(from, to, since)?;
    }
    Ok(Round { sent, rate: args.rate, busy: took / (args.warm + args.seconds) as f64, spans })
}

/// Sends by the clock; how many posts.
fn send(args: &Args, brokers: &str, topic: &str, probes: &Arc<Probes>) -> Result<u64, String> {
    let producer: ThreadedProducer<Placed> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("linger.ms", "5")
        .create_with_context(Placed(Arc::clone(probes)))
        .map_err(|error| error.to_string())?;
    let mut synthetic = Synthetic::new(1, Mix { bad: 0.0, ..Mix::default() });
    let posts: Vec<_> = (0..MADE).map(|_| synthetic.next(now_ms())).collect();
    let (begun, mut sent, mut probed) = (Instant::now(), 0, 0);
    let end = Duration::from_secs(args.warm + args.seconds);
    while begun.elapsed() < end {
        let due = (begun.elapsed().as_secs_f64() * args.rate as f64) as u64;
        while sent < due {
            let intended = begun + Duration::from_secs_f64(sent as f64 / args.rate as f64);
            if intended >= begun + PROBE * probed {
                let number = probes.add(intended);
                let text = word(number);
                give(&producer, BaseRecord::with_opaque_to(topic, number + 1).payload(&text).key(&text))?;
                probed += 1;
            } else {
                let post = &posts[sent as usize % posts.len()];
                let mut record = BaseRecord::with_opaque_to(topic, 0).key(&post.key);
                record.payload = post.value.as_deref();
                give(&producer, record)?;
            }
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // Else the last probes would go with the producer.
    producer.flush(PATIENCE).map_err(|error| format!("not all was sent: {error}"))?;
    Ok(sent)
}

fn give<K, P>(producer: &ThreadedProducer<Placed>, record: BaseRecord<'_, K, P, usize>) -> Result<(), String>
where
    K: rdkafka::message::ToBytes + ?Sized,
    P: rdkafka::message::ToBytes + ?Sized,
{
    producer.send(record.timestamp(now_ms())).map_err(|(error, _)| format!("cannot send: {error}"))
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Asks for the words of all probes that are on their way.
fn ask(address: &str, probes: &Probes, ended: &AtomicBool) -> Result<(), String> {
    let agent = ureq::Agent::new_with_defaults();
    let path = format!("{address}/v1/counts/words/terms");
    while !ended.load(Ordering::Relaxed) {
        let unseen = probes.unseen(Moment::Asked);
        if !unseen.is_empty() {
            let words: Vec<String> = unseen.iter().take(1000).map(|number| word(*number)).collect();
            let body = json!({ "terms": words, "window": "1m" }).to_string();
            let answer = agent.post(&path).header("content-type", "application/json").send(&body);
            // Until the first epoch has been published there is no answer but 503.
            if let Ok(mut answer) = answer {
                let body = answer.body_mut().read_to_vec().map_err(|error| error.to_string())?;
                let (at, found) = (Instant::now(), serde_json::from_slice::<Value>(&body));
                let found = found.map_err(|error| error.to_string())?;
                for (number, term) in unseen.iter().zip(found["terms"].as_array().into_iter().flatten()) {
                    if term["count"].as_u64().unwrap_or(0) > 0 {
                        probes.seen(*number, Moment::Asked, at);
                    }
                }
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
