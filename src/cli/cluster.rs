//! `tidings cluster`: all processes of a cluster on one host, supervised.
//!
//! Idea: what each process needs to know of the others is worked out here, and handed to it as the flags and variables of
//! `tidings run`, so that a process under supervision is nothing but one that was started by hand.
//! Invariant: everything that a configuration can be refused for is found before the first process starts. The secret that
//! is made where none is configured never leaves a folder that only this user can enter. There is a new one for each start of
//! all: whoever tidies temporary folders up may have taken the one before, and its name is in the process list, where anybody
//! may make one of it. It is gone when this process ends, however often it was told to; only where a signal kills it (SIGKILL, and
//! SIGHUP where that has nothing to reload) it stays in the system's temporary folder, and its secret is of no use any more.

use std::ffi::OsString;
use std::fs::Permissions;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::signal::unix::SignalKind;

use super::failure::{Code, Failure};
use super::fresh::Fresh;
use super::run::refuse;
use super::stopping::{listen_for, signals};
use crate::cluster::ports;
use crate::cluster::supervise::{Orders, supervise};
use crate::config::{Config, ConfigFlags};
use crate::say::say;

/// Flags of `tidings cluster`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tidings cluster -n 2 -w 1 --brokers localhost:9092 --topic posts\n  \
    curl 'localhost:8081/v1/counts/hashtags/top?window=5m'      # the second process: the same answer\n\n\
    Each process answers on the port of `http.bind` plus its index. Where neither -w nor the configuration says how many\n\
    workers, the processes share the cores. Ctrl-C or SIGTERM stops all; a second signal ends at once.")]
pub struct Args {
    /// Processes
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    processes: u16,
    #[command(flatten)]
    config: ConfigFlags,
    /// Answer on addresses beyond loopback to whoever asks
    #[arg(long)]
    allow_anonymous: bool,
    /// Leave the checkpoints that there are alone, and begin to count anew; once, not whenever all start anew
    #[arg(long)]
    start_fresh: bool,
}

/// Runs until a signal, or until a process says that it would never run.
///
/// # Errors
/// What is wrong with the configuration; the exit code of the process that refused to go on.
pub fn run(args: Args) -> Result<(), Failure> {
    let loaded = args.config.load()?;
    let config = &loaded.config;
    if args.config.print_config {
        use io::Write;
        // Whoever closed the pipe has seen enough.
        let _ = io::stdout().write_all(loaded.print().as_bytes());
        return Ok(());
    }
    refuse(config, args.allow_anonymous)?;
    let processes = usize::from(args.processes);
    let hosts = &config.cluster.hosts;
    if !hosts.is_empty() && hosts.len() != processes {
        let why = format!("`cluster.hosts` names {} processes, -n says {processes}", hosts.len());
        return Err(Failure::new(Code::Config, why));
    }
    let binds =
        [Some(config.http.bind), config.http.health_bind].map(|bind| bind.map(|bind| binds(bind, processes)));
    let [binds, health] = binds.map(Option::transpose);
    let (binds, health) = (binds?.unwrap_or_default(), health?);
    // What is taken now, or twice, would be so at every start anew.
    if let Some(twice) =
        binds.iter().find(|bind| bind.port() != 0 && health.iter().flatten().any(|own| own == *bind))
    {
        let why = format!(
            "{twice} would be the address of one process by `http.bind` and of another by `http.health_bind`: put the two \
             {processes} ports apart or more"
        );
        return Err(Failure::new(Code::Config, why));
    }
    for address in binds.iter().chain(health.iter().flatten()) {
        drop(
            TcpListener::bind(address)
                .map_err(|error| io_failure(&format!("listen on {address}"), &error))?,
        );
    }
    let listening: Vec<u16> = binds.iter().chain(health.iter().flatten()).map(SocketAddr::port).collect();
    let files = Arc::new(Mutex::new(None));
    let program =
        std::env::current_exe().map_err(|error| io_failure("find the program's own file", &error))?;
    let (fresh, share) =
        (Fresh::new(config, args.start_fresh)?, share(loaded.has_a_worker_a_core(), processes));
    let orders = Arc::new(Orders::default());
    let reloads = config.http.token_file.is_some() || config.http.tls_cert.is_some();
    hear_signals(Arc::clone(&orders), reloads, Arc::clone(&files))?;
    let commands = || {
        let made = Files::make(config, processes, &listening).map_err(|error| {
            let why = format!("what it reads cannot be written to a temporary folder: {error}");
            io::Error::new(error.kind(), why)
        })?;
        let anew = fresh.is_due()?;
        let (hosts, secret) = (made.hosts.clone(), made.secret.clone());
        *files.lock().expect("no holder panics") = Some(made);
        let command = |process: usize| {
            let mut command = Command::new(&program);
            command.arg("run").args(passed_on(&args, share)).arg("--until-input-ends");
            if anew {
                command.arg("--start-fresh");
            }
            command.arg("--hosts").arg(&hosts).args(["--process", &process.to_string()]);
            command.args(["--bind", &binds[process].to_string()]);
            if let Some(health) = &health {
                command.env("TIDINGS__HTTP__HEALTH_BIND", health[process].to_string());
            }
            if let Some(secret) = &secret {
                command.env("TIDINGS__CLUSTER__SECRET_FILE", secret);
            }
            command
        };
        Ok((0..processes).map(command).collect())
    };
    let ended = supervise(commands, &orders);
    drop(files.lock().expect("no holder panics").take());
    match ended {
        Ok(0) => Ok(()),
        Ok(code) => Err(Failure::new(Code::of(code), "what the process said stands above")),
        Err(error) => Err(io_failure("start a process", &error)),
    }
}

fn io_failure(what: &str, error: &io::Error) -> Failure {
    Failure::new(Code::Io, format!("cannot {what}: {error}"))
}

/// The workers of each process, where their number is left to that of the cores: a worker a core in each would be too many for
/// all.
fn share(of_cores: bool, processes: usize) -> Option<usize> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    of_cores.then_some((cores / processes).max(1))
}

/// The flags that every process is given as they were given here, but for its share of the cores.
fn passed_on(args: &Args, share: Option<usize>) -> Vec<OsString> {
    let mut flags = Vec::<OsString>::new();
    let mut flag = |name: &str, value: Option<OsString>| {
        if let Some(value) = value {
            flags.extend([name.into(), value]);
        }
    };
    let ConfigFlags {
        config,
        brokers,
        topics,
        workers,
        bind: _,
        start,
        log_level,
        log_format,
        print_config: _,
    } = &args.config;
    let text = |value: &Option<String>| value.as_ref().map(OsString::from);
    flag("--config", config.as_ref().map(|path| path.as_os_str().to_owned()));
    flag("--brokers", text(brokers));
    topics.iter().for_each(|topic| flag("--topic", Some(topic.into())));
    let workers = share.map(|share| share.to_string()).or(workers.map(|workers| workers.to_string()));
    flag("--workers", workers.map(OsString::from));
    flag("--start", text(start));
    flag("--log-level", text(log_level));
    flag("--log-format", text(log_format));
    if args.allow_anonymous {
        flags.push("--allow-anonymous".into());
    }
    flags
}

/// Where each process listens: on this port, the next one and so on; on any, where the port is 0.
fn binds(first: SocketAddr, processes: usize) -> Result<Vec<SocketAddr>, Failure> {
    let port = |process: usize| match first.port() {
        0 => Some(0),
        port => port.checked_add(process as u16),
    };
    let binds = (0..processes).map(|process| Some(SocketAddr::new(first.ip(), port(process)?)));
    binds.collect::<Option<_>>().ok_or_else(|| {
        Failure::new(
            Code::Config,
            format!("there are not {processes} ports from {first} on: choose a lower one"),
        )
    })
}

/// What the processes read besides the configuration; gone when this is dropped.
struct Files {
    _folder: TempDir,
    /// The addresses of all processes.
    hosts: PathBuf,
    /// Where none is configured.
    secret: Option<PathBuf>,
}

impl Files {
    /// Addresses are those of the configuration, else free ones beside those where the processes listen for HTTP, which they do
    /// later.
    fn make(config: &Config, processes: usize, listening: &[u16]) -> io::Result<Files> {
        let only_mine = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("tidings-cluster-").permissions(only_mine).tempdir()?;
        let (hosts, secret) = (folder.path().join("hosts"), folder.path().join("secret"));
        let addresses = match &config.cluster.hosts[..] {
            [] => ports::free_beside(listening, processes)?,
            hosts => hosts.to_vec(),
        };
        std::fs::write(&hosts, addresses.join("\n"))?;
        let has_one = config.cluster.secret_file.is_some();
        if !has_one {
            std::fs::write(&secret, crate::cluster::secret::random()?)?;
        }
        Ok(Files { _folder: folder, hosts, secret: (!has_one).then_some(secret) })
    }
}

/// Stops all at the first SIGTERM or SIGINT; the second ends this process, and the others with it, and leaves no `files`. SIGHUP is
/// for the others where there is something that it `reloads`; else it keeps its usual meaning, as in a server by itself.
fn hear_signals(orders: Arc<Orders>, reloads: bool, files: Arc<Mutex<Option<Files>>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| io_failure("listen for signals", &error))?;
    let (first, hang_ups) = {
        let _inside = runtime.enter();
        let first = signals(move || drop(files.lock().expect("no holder panics").take()))?;
        (first, reloads.then(|| listen_for(SignalKind::hangup())).transpose()?)
    };
    let listen = move || {
        let asked_to_reload = async {
            if let Some(mut hang_ups) = hang_ups {
                while hang_ups.recv().await.is_some() {
                    orders.reload.store(true, Ordering::SeqCst);
                }
            }
            std::future::pending::<()>().await;
        };
        let asked_to_stop = async {
            first.await;
            say("tidings: stopping all processes; a second signal ends at once");
            orders.stop.store(true, Ordering::SeqCst);
        };
        runtime.block_on(async { tokio::join!(asked_to_reload, asked_to_stop) });
    };
    let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(listen);
    thread.map(drop).map_err(|error| io_failure("start a thread", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_has_a_port_of_its_own() {
        let at = |text: &str, n| {
            let binds = binds(text.parse().expect(text), n).map_err(|failure| failure.code)?;
            Ok::<_, Code>(binds.iter().map(SocketAddr::port).collect::<Vec<_>>())
        };
        assert_eq!(at("127.0.0.1:8080", 3), Ok(vec![8080, 8081, 8082]));
        assert_eq!(at("127.0.0.1:0", 2), Ok(vec![0, 0]));
        assert_eq!(at("127.0.0.1:65535", 1), Ok(vec![65535]));
        assert_eq!(at("127.0.0.1:65535", 2), Err(Code::Config));
    }

    #[test]
    fn processes_share_the_cores_unless_told_otherwise() {
        assert_eq!(share(false, 2), None);
        assert_eq!(share(true, 1), std::thread::available_parallelism().map(usize::from).ok());
        assert_eq!(share(true, 100_000), Some(1));
    }
}
