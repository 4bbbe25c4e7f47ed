//! `tidings check`: says what would run, or everything that is wrong with the configuration and where.
//!
//! Idea: this is the loading that every other command does, and what `tidings run` looks at before it asks anybody, by the
//! same function, and then nothing else: no broker is asked, no port taken, so that it can run before a roll-out, anywhere
//! where there are the files that the configuration names.
//! Invariant: exit code 0 means that no command refuses this configuration for its own sake; 78 that `tidings run` does,
//! in the same words.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use crate::cli::failure::{Code, Failure};
use crate::cli::run;
use crate::config::{Clock, Config, Loaded, Start, Time, load_found, show, show_duration};
use crate::say::say;

/// Flags of `tidings check`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Configuration file [default: ./tidings.toml where it exists]
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print every setting and where it came from, secrets hidden
    #[arg(long)]
    pub print_config: bool,
    /// Answering on addresses beyond loopback to whoever asks is wanted, as with `tidings run --allow-anonymous`
    #[arg(long)]
    pub allow_anonymous: bool,
}

/// Checks the configuration and writes to standard output what would run; warnings go to standard error.
///
/// # Errors
/// [`Code::Config`] with all that is wrong with the configuration, [`Code::Io`] if the output cannot be written.
pub fn run(args: Args) -> Result<(), Failure> {
    let loaded = load_found(args.config.as_deref(), Vec::new())
        .map_err(|error| Failure::new(Code::Config, error.to_string()))?;
    for warning in loaded.warnings() {
        say(format_args!("warning: {warning}"));
    }
    let access = run::refuse(&loaded.config, args.allow_anonymous)?;
    for warning in access.warnings() {
        say(format_args!("warning: {warning}"));
    }
    let text = if args.print_config { loaded.print() } else { summary(&loaded) };
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Io, format!("the summary cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// What would run, one line for each part, and that it is valid.
fn summary(loaded: &Loaded) -> String {
    let Config { kafka, posts, engine, counts, http, cluster, checkpoint, .. } = &loaded.config;
    let mut out = String::new();
    let mut line = |what: &str, how: String| {
        writeln!(out, "{what:<14} {how}").expect("a string takes everything");
    };
    let file = loaded.file().map(|path| path.display().to_string());
    line("configuration", file.unwrap_or_else(|| "defaults, no file".to_owned()));
    let start = match kafka.start {
        Start::Earliest => "the earliest record".to_owned(),
        Start::Latest => "the latest record".to_owned(),
        Start::Ago(age) => format!("{} ago", show_duration(age)),
        Start::Time(ms) => {
            jiff::Timestamp::from_millisecond(ms).map_or_else(|_| format!("{ms}ms"), |time| time.to_string())
        }
    };
    line("topics", format!("{} at {}, first from {start}", kafka.topics.join(", "), kafka.brokers));
    let time = match posts.time {
        Time::Record => "of their records",
        Time::Post => "of their own",
    };
    let format = format!("{:?}", posts.format).to_ascii_lowercase();
    line("posts", format!("format {format}, at the times {time}"));
    for count in counts {
        let windows = count.windows.iter().map(|window| match window.span {
            Some(span) => format!("{} (slide {})", window.name, show(span.slide_ms)),
            None => window.name.clone(),
        });
        line(
            "count",
            format!("{} of {}: {}", count.name, count.of.as_str(), windows.collect::<Vec<_>>().join(", ")),
        );
    }
    let clock = match engine.clock {
        Clock::Wall => "wall",
        Clock::Event => "event",
    };
    line("clock", format!("{clock}, an epoch at least every {}", show_duration(engine.epoch)));
    let processes = match cluster.hosts.len() {
        0 => String::new(),
        hosts => format!(", process {} of {hosts}", cluster.process),
    };
    line("workers", format!("{}{processes}", engine.workers));
    let scheme = if http.tls_cert.is_some() { "https" } else { "http" };
    line("answers at", format!("{scheme}://{}", http.bind));
    let kept =
        checkpoint.dir.as_ref().map(|dir| format!("{dir} every {}", show_duration(checkpoint.interval)));
    line("checkpoints", kept.unwrap_or_else(|| "none, a restart begins anew".to_owned()));
    out.push_str("configuration is valid\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    #[test]
    fn the_summary_says_what_would_run() {
        let env = [("TIDINGS__ENGINE__WORKERS", "2"), ("TIDINGS__KAFKA__START", "-24h")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let said = summary(&load(None, env, Vec::new()).expect("it is valid"));
        let expected = "\
configuration  defaults, no file
topics         posts at localhost:9092, first from 1d ago
posts          format auto, at the times of their records
count          hashtags of hashtags: 1m (slide 1s), 5m (slide 5s), 1h (slide 1m), all
count          words of words: 1m (slide 1s), 5m (slide 5s), 1h (slide 1m), all
clock          wall, an epoch at least every 250ms
workers        2
answers at     http://127.0.0.1:8080
checkpoints    none, a restart begins anew
configuration is valid
";
        assert_eq!(said, expected);
    }

    #[test]
    fn a_wrong_configuration_exits_with_78() {
        let args = Args {
            config: Some("/nowhere/tidings.toml".into()),
            print_config: false,
            allow_anonymous: false,
        };
        let failure = run(args).expect_err("there is no such file");
        assert_eq!(failure.code as u8, 78);
        assert!(
            failure.message.contains("/nowhere/tidings.toml: there is no such file"),
            "{}",
            failure.message
        );
    }
}
