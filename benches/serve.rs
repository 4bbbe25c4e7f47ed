//! The server under load: `cargo bench --bench serve`.
//!
//! Idea: the engine and its server run in this process as they do in the program; who writes, who follows and who asks
//! are processes of their own, so that memory and processor time of the server are its own. Everything shares the cores
//! of the machine, so what is shown is what that machine does, its clients included.
//! Invariant: a request counts from the moment at which it should have been sent, so that a server that stalls cannot
//! hide behind a client that waits. An epoch that a follower did not get is counted as missing, not left out.
//! Cost: about a minute and a half at the defaults.

mod measure;
mod serving;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use serving::engine::{Engine, resident_bytes};
use serving::{Child, Quantiles, feeder, requests, streams};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The server under load
#[derive(Parser, Debug)]
struct Args {
    /// Posts a second
    #[arg(long, default_value_t = 20_000)]
    posts: u64,
    /// Followers of the stream while posts come
    #[arg(long, default_value_t = 200)]
    streams: usize,
    /// Requests a second while posts come
    #[arg(long, default_value_t = 2_000)]
    requests: u64,
    /// Seconds before measuring begins
    #[arg(long, default_value_t = 10)]
    warm: u64,
    /// Seconds that are measured
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Followers of the stream while nothing comes
    #[arg(long, default_value_t = 5_000)]
    idle: usize,
    /// Connections of those who ask
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// What this process is: only this program itself says so
    #[arg(long, hide = true)]
    role: Option<Role>,
    /// Where the server is, for those who ask and follow
    #[arg(long, hide = true)]
    address: Option<SocketAddr>,
    /// Handed over by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    Feeder,
    Streams,
    Requests,
}

fn main() -> ExitCode {
    tidings::allocator::keep_for_the_next_epoch();
    let args = Args::parse();
    let done = match (args.role, args.address) {
        (Some(Role::Feeder), _) => feeder::run(args.posts),
        (Some(Role::Streams), Some(address)) => {
            streams::run(address, args.streams, Duration::from_secs(args.seconds))
        }
        (Some(Role::Requests), Some(address)) => {
            requests::run(address, args.requests, args.connections, Duration::from_secs(args.seconds))
        }
        _ => run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("serve bench: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let mut feeder = Child::start(&["--role", "feeder", "--posts", &args.posts.to_string()])?;
    let brokers = feeder.line()?;
    let engine = Engine::start(&brokers)?;
    std::thread::sleep(Duration::from_secs(args.warm));
    loaded(args, &engine)?;
    drop(feeder);
    // What is still on its way, and the first of what drains.
    std::thread::sleep(Duration::from_secs(2));
    unloaded(args, &engine)?;
    idle(args, &engine)?;
    engine.stop();
    Ok(())
}

fn client(role: &str, address: SocketAddr, more: &[(&str, String)]) -> Result<Child, String> {
    let address = address.to_string();
    let mut arguments = vec!["--role", role, "--address", &address];
    more.iter().for_each(|(name, value)| arguments.extend([*name, value.as_str()]));
    Child::start(&arguments)
}

/// Posts come, some follow, some ask.
fn loaded(args: &Args, engine: &Engine) -> Result<(), String> {
    let seconds = ("--seconds", args.seconds.to_string());
    let streams =
        client("streams", engine.address, &[("--streams", args.streams.to_string()), seconds.clone()])?;
    let requests = client(
        "requests",
        engine.address,
        &[
            ("--requests", args.requests.to_string()),
            ("--connections", args.connections.to_string()),
            seconds,
        ],
    )?;
    let (cost, watched) = measure::measured(|| engine.watch(Duration::from_secs(args.seconds)));
    let (followed, asked) = (streams.rest()?, requests.rest()?);
    println!(
        "{} posts/s offered; {:.0}/s counted; behind by {} posts at most, {} at the end; the server's processes spent \
         {:.2} of {:.0} s of a core",
        args.posts,
        watched.posts as f64 / cost.wall,
        watched.most_behind,
        watched.behind,
        cost.cpu,
        cost.wall,
    );
    let received = streams::read(&followed)?;
    let within: Vec<_> = received.iter().map(|(epoch, _)| *epoch).collect();
    let (first, last) =
        (within.iter().min().copied().unwrap_or(0), within.iter().max().copied().unwrap_or(0));
    // The first and the last epochs are not got by all, since not all come and go at once.
    let whole: Vec<_> = watched
        .published
        .iter()
        .filter(|(epoch, _)| **epoch > first + 1000 && **epoch + 1000 < last)
        .collect();
    let mut got: std::collections::HashMap<u64, Vec<i64>> = std::collections::HashMap::new();
    received.iter().for_each(|(epoch, at)| got.entry(*epoch).or_default().push(*at));
    let arrivals: usize = whole.iter().map(|(epoch, _)| got.get(epoch).map_or(0, Vec::len)).sum();
    let since = |from: fn(u64, i64) -> i64| -> Vec<i64> {
        let of = |(epoch, published): &(&u64, &i64)| -> Vec<i64> {
            got.get(epoch).into_iter().flatten().map(|at| at - from(**epoch, **published)).collect()
        };
        whole.iter().flat_map(of).collect()
    };
    println!(
        "{} streams, {} epochs, {} of {} arrivals missing",
        args.streams,
        whole.len(),
        whole.len() * args.streams - arrivals.min(whole.len() * args.streams),
        whole.len() * args.streams
    );
    println!("{:<44} {}", "", Quantiles::HEAD);
    println!(
        "{:<44} {}",
        "  event, since its epoch was published",
        Quantiles::of(since(|_, published| published))
    );
    println!(
        "{:<44} {}",
        "  event, since its epoch closed",
        Quantiles::of(since(|epoch, _| epoch as i64 * 1000))
    );
    let asked = requests::read(&asked)?;
    for (name, kind) in requests::KINDS {
        let of_kind: Vec<i64> = asked.iter().filter(|(of, _)| *of == kind).map(|(_, took)| *took).collect();
        println!("{:<44} {}", format!("  {name}, since it should have been sent"), Quantiles::of(of_kind));
    }
    println!("{:.0} requests/s answered", asked.len() as f64 / args.seconds as f64);
    Ok(())
}

/// Nothing comes; as many requests as can be.
fn unloaded(args: &Args, engine: &Engine) -> Result<(), String> {
    let seconds = 10;
    let arguments = [
        ("--requests", "0".to_owned()),
        ("--connections", args.connections.to_string()),
        ("--seconds", seconds.to_string()),
    ];
    let (cost, asked) =
        measure::measured(|| client("requests", engine.address, &arguments).and_then(|child| child.rest()));
    let asked = asked?;
    let asked = requests::read(&asked)?;
    println!(
        "without posts: {:.0} requests/s, {:.0} microseconds of the server's processor each",
        asked.len() as f64 / f64::from(seconds),
        cost.cpu * 1e6 / asked.len().max(1) as f64
    );
    println!(
        "{:<44} {}",
        "  since it was sent",
        Quantiles::of(asked.iter().map(|(_, took)| *took).collect())
    );
    Ok(())
}

/// Nothing comes; many follow.
fn idle(args: &Args, engine: &Engine) -> Result<(), String> {
    let before = resident_bytes();
    let streams = client(
        "streams",
        engine.address,
        &[("--streams", args.idle.to_string()), ("--seconds", "15".to_owned())],
    )?;
    std::thread::sleep(Duration::from_secs(12));
    let (open, after) = (engine.connections(), resident_bytes());
    drop(streams.rest()?);
    println!(
        "{open} idle streams: {:.1} KiB of resident memory each ({:.0} MiB before, {:.0} MiB then)",
        (after as f64 - before as f64) / 1024.0 / open.max(1) as f64,
        before as f64 / f64::from(1 << 20),
        after as f64 / f64::from(1 << 20),
    );
    Ok(())
}
