//! `tidings demo`: everything in one process, nothing to install.
//!
//! Idea: librdkafka brings a broker for tests that lives inside the process and speaks the real protocol; invented posts
//! go into it, and the very engine that reads a real Kafka reads them out again. It keeps nothing and serves nobody
//! else, so it is a demonstration, not a broker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

use super::failure::{Code, Failure};
use super::serving::run_until_stopped;
use super::{log, run};
use crate::config::{Config, OnGap, Start};
use crate::engine;
use crate::produce::synthetic::{Mix, Synthetic};
use crate::say::show;
use crate::wall::wall_ms;

/// Flags of `tidings demo`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Open the address that it prints in a browser, or ask:\n  \
    curl 'localhost:8080/v1/counts/hashtags/top?window=1m'")]
pub struct Args {
    /// Posts a second; 0: none, to produce to it by hand
    #[arg(long, default_value_t = 500)]
    rate: u64,
    /// Address to answer on
    #[arg(long, default_value = "127.0.0.1:8080")]
    bind: std::net::SocketAddr,
    /// Answer on addresses beyond loopback to whoever asks
    #[arg(long)]
    allow_anonymous: bool,
    /// Worker threads; 0: one a core
    #[arg(short, long, default_value_t = 0)]
    workers: usize,
    /// The same seed invents the same words and hashtags
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const TOPIC: &str = "posts";
const PARTITIONS: i32 = 4;

/// Runs until a signal.
///
/// # Errors
/// Where the address is taken or the broker inside cannot start.
pub fn run(args: Args) -> Result<(), Failure> {
    let mut config = Config::default();
    log::init(&config.log)?;
    let broken =
        |error: KafkaError| Failure::new(Code::Io, format!("the broker inside does not work: {error}"));
    let cluster = MockCluster::new(1).map_err(broken)?;
    cluster.create_topic(TOPIC, PARTITIONS, 1).map_err(broken)?;
    config.kafka.brokers = cluster.bootstrap_servers();
    config.kafka.topics = vec![TOPIC.to_owned()];
    config.kafka.start = Start::Earliest;
    // The broker inside keeps little; a laptop that slept must find the demonstration going on.
    config.kafka.on_gap = OnGap::Continue;
    config.http.bind = args.bind;
    run::refuse_strangers(&config, args.allow_anonymous)?;
    if args.workers > 0 {
        config.engine.workers = args.workers;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let producer = invent(&config.kafka.brokers, &args, Arc::clone(&stop)).map_err(broken)?;
    let (settings, rate) = (config.clone(), args.rate);
    let done = run_until_stopped(&config, false, move |address, _| {
        let engine = engine::start(&settings, engine::Input::Kafka, None)?;
        show(format_args!("tidings demo: {rate} invented posts a second, in a broker inside this process"));
        show(format_args!("              at {} (topic {TOPIC}); Ctrl-C stops", settings.kafka.brokers));
        show(format_args!("open          http://{address}/"));
        Ok(engine)
    });
    stop.store(true, Ordering::Relaxed);
    // It ends within a tick; that it panicked has been said already.
    let _ = producer.join();
    done
}

/// Posts at an even rate, on a thread of their own.
fn invent(brokers: &str, args: &Args, stop: Arc<AtomicBool>) -> Result<JoinHandle<()>, KafkaError> {
    const TICK: Duration = Duration::from_millis(20);
    let producer: ThreadedProducer<DefaultProducerContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).set("linger.ms", "5").create()?;
    let (mut posts, rate) = (Synthetic::new(args.seed, Mix::default()), args.rate);
    Ok(std::thread::spawn(move || {
        let (begun, mut sent) = (Instant::now(), 0);
        while !stop.load(Ordering::Relaxed) {
            let due = (begun.elapsed().as_secs_f64() * rate as f64) as u64;
            while sent < due {
                let made = posts.next(wall_ms());
                let mut record = BaseRecord::to(TOPIC).key(&made.key).timestamp(made.time_ms);
                record.payload = made.value.as_ref();
                match producer.send(record) {
                    Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => break,
                    _ => sent += 1,
                }
            }
            std::thread::sleep(TICK);
        }
        // What is on its way at the end of a demonstration need not arrive.
        let _ = producer.flush(Duration::from_millis(100));
    }))
}
