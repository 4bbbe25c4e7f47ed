//! `tidings count`: the same dataflow over files, without a broker.
//!
//! Idea: a file is a partition that ends. The engine reads it, closes its last epoch and stops; what it published last is
//! the answer. Times are the posts' own, and windows end at the newest of them.

use std::collections::BTreeMap;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;

use super::failure::{Code, Failure};
use super::log;
use super::visible::visible;
use crate::config::{self, Clock, Config, Count, Override, Time};
use crate::engine::decode::smallest_window;
use crate::engine::start::TOP;
use crate::engine::tally::Tally;
use crate::engine::{self, CountInfo, Cut, Reader};
use crate::produce::table::delimiter_of;
use crate::source::files::Progress;
use crate::terms::Kind;
use crate::terms::extract::MAX_KEY;

/// Flags of `tidings count`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "A line is a post: JSON in any known shape where it begins with {, else plain text.\n\nExamples:\n  \
    tidings count posts.jsonl\n  \
    tidings count posts.jsonl --of hashtags --window 5m --top 20\n  \
    tidings count posts.jsonl.gz more.jsonl.zst --json --top 0 > counts.json"
)]
pub struct Args {
    /// Files to read, packed by gzip or zstd or not; - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Keep all counts and windows of this configuration
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["of", "window"])]
    config: Option<PathBuf>,
    /// Kinds of term, separated by commas: words, hashtags, mentions, cashtags, emoji, domains, phrases
    #[arg(long, value_delimiter = ',', default_value = "hashtags,words", value_name = "KINDS")]
    of: Vec<Kind>,
    /// all, or the last 5m, 1h, .. of the posts' own time
    #[arg(long, default_value = "all")]
    window: String,
    /// Terms to print of each; 0: every one
    #[arg(long, default_value_t = 10)]
    top: usize,
    /// Shape of the lines: auto, text, tweet, x, eneco, jcustenborder, jetstream, mastodon, json
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Worker threads; 0: one a core [default: as configured, else one a core]
    #[arg(short, long, value_name = "N")]
    workers: Option<u32>,
}

#[derive(Serialize)]
struct Answer {
    posts: u64,
    bad: u64,
    counts: BTreeMap<String, Listed>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Listed {
    One(Vec<Term>),
    ByWindow(BTreeMap<String, Vec<Term>>),
}

#[derive(Serialize)]
struct Term {
    term: String,
    display: String,
    count: i64,
}

/// Counts, and prints what was counted.
///
/// # Errors
/// Where a file cannot be read or the configuration does not hold.
pub fn run(args: Args) -> Result<(), Failure> {
    let config = settings(&args)?;
    log::init(&config.log)?;
    for table in args.files.iter().filter(|file| delimiter_of(file).is_some()) {
        let table = table.display();
        tracing::warn!("{table} is counted line by line: `tidings produce file` reads tables, this does not");
    }
    let progress = Arc::<Progress>::default();
    let bar = progress_bar(&args.files);
    let engine =
        engine::start(&config, engine::Input::Files(args.files.clone(), Arc::clone(&progress)), None)?;
    let reader = engine.reader();
    let joined = match bar {
        None => engine.join(),
        Some(bar) => {
            let waiting = std::thread::spawn(move || engine.join());
            while !waiting.is_finished() {
                bar.set_position(progress.read.load(Ordering::Relaxed));
                std::thread::sleep(Duration::from_millis(50));
            }
            bar.finish_and_clear();
            waiting
                .join()
                .unwrap_or_else(|_| Err(engine::EngineError::Threads("a worker panicked".to_owned())))
        }
    };
    joined?;
    let cut = reader.newest().ok_or_else(|| Failure::new(Code::Bug, "nothing was published"))?;
    say_what_is_left_out(&config, &reader, &cut);
    let answer = answer(&reader, &cut, args.top, args.config.is_some());
    match print(&answer, args.json) {
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Io, format!("cannot print the counts: {error}")))
        }
        _ => Ok(()),
    }
}

/// Whoever reads the counts should know what is not in them.
fn say_what_is_left_out(config: &Config, reader: &Reader, cut: &Cut) {
    let Tally { posts, undated, ahead, too_long, .. } = cut.tally;
    let bad: u64 = cut.tally.bad.values().sum();
    if posts == 0 && bad > 0 {
        tracing::warn!("none of {bad} lines is a post");
    }
    if smallest_window(&config.counts).is_some() {
        if undated > 0 {
            tracing::warn!(
                "{undated} of {posts} posts have no time of their own: they are in no window but `all`"
            );
        }
        if ahead > 0 {
            tracing::warn!(
                "{ahead} of {posts} posts are more than 24 h ahead: they are in no window but `all`"
            );
        }
    }
    if too_long > 0 {
        tracing::warn!("{too_long} occurrences of terms of more than {MAX_KEY} bytes are not counted");
    }
    for (index, count) in reader.counts().iter().enumerate() {
        let refused = cut.refused(index).occurrences;
        if refused > 0 {
            let (name, most) = (&count.name, config.engine.max_terms);
            tracing::warn!(
                "{name}: engine.max_terms = {most} were reached; {refused} occurrences of others are not counted"
            );
        }
    }
}

fn settings(args: &Args) -> Result<Config, Failure> {
    let mut flags = Vec::new();
    if let Some(workers) = args.workers {
        flags.push(Override { key: "engine.workers", value: i64::from(workers).into(), flag: "--workers" });
    }
    if let Some(format) = &args.format {
        flags.push(Override { key: "posts.format", value: format.clone().into(), flag: "--format" });
    }
    let mut config = config::load_os(args.config.as_deref(), std::env::vars_os(), flags)?.config;
    if args.config.is_none() {
        let window = config::parse_window(&args.window).map_err(|error| {
            Failure::new(code_of(&args.window), format!("--window {}: {error}", args.window))
        })?;
        let mut kinds = args.of.clone();
        kinds.sort_unstable();
        kinds.dedup();
        let count = |of: Kind| Count {
            name: of.as_str().to_owned(),
            of,
            windows: vec![window.clone()],
            stop_words: Vec::new(),
            min_length: 1,
            languages: Vec::new(),
            track: Vec::new(),
        };
        config.counts = kinds.into_iter().map(count).collect();
    }
    config.posts.time = Time::Post;
    config.engine.clock = Clock::Event;
    Ok(config)
}

/// What it means that a window is refused: a slide that does not fit is refused as in a configuration.
fn code_of(window: &str) -> Code {
    let is_one =
        window.split('/').all(|length| config::parse_duration(length).is_ok_and(|length| !length.is_zero()));
    if is_one { Code::Config } else { Code::Usage }
}

/// A bar of the bytes to read, where there is a terminal to show it and the sizes are known.
fn progress_bar(files: &[PathBuf]) -> Option<indicatif::ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let sizes =
        files.iter().map(|file| std::fs::metadata(file).ok().filter(|meta| meta.is_file()).map(|m| m.len()));
    let style =
        indicatif::ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta}")
            .ok()?;
    Some(indicatif::ProgressBar::new(sizes.sum::<Option<u64>>()?).with_style(style))
}

fn answer(reader: &Reader, cut: &Cut, top: usize, by_window: bool) -> Answer {
    let mut counts = BTreeMap::new();
    for (index, count) in reader.counts().iter().enumerate() {
        let mut windows: BTreeMap<_, _> = (count.windows.iter())
            .map(|window| (window.name.clone(), terms(reader, cut, (index, count), window.index, top)))
            .collect();
        let listed = if by_window {
            Listed::ByWindow(windows)
        } else {
            Listed::One(windows.pop_first().map(|(_, terms)| terms).unwrap_or_default())
        };
        counts.insert(count.name.clone(), listed);
    }
    Answer { posts: cut.tally.posts, bad: cut.tally.bad.values().sum(), counts }
}

/// The first `top` terms of a window, or all of them, in the order of the ranking.
fn terms(
    reader: &Reader,
    cut: &Cut,
    (index, count): (usize, &CountInfo),
    window: usize,
    top: usize,
) -> Vec<Term> {
    let view = reader.view(cut, index);
    let places = if (1..=TOP).contains(&top) {
        view.top(window, top)
    } else {
        let (all, _) = view.with_prefix(window, b"", None, usize::MAX);
        let mut all: Vec<_> =
            all.into_iter().map(|(term, n)| (n, String::from_utf8_lossy(term).into_owned())).collect();
        all.sort_by(|one, two| two.0.cmp(&one.0).then_with(|| one.1.cmp(&two.1)));
        all.truncate(if top == 0 { usize::MAX } else { top });
        all
    };
    let spelled = engine::decode::has_spellings(count.of);
    let shown = places.into_iter().map(|(n, term)| {
        let spelling = if spelled { view.spelling(term.as_bytes()) } else { None };
        Term { display: spelling.unwrap_or_else(|| term.clone()), term, count: n }
    });
    shown.collect()
}

fn print(answer: &Answer, json: bool) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    if json {
        serde_json::to_writer(&mut out, answer)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{} posts, {} bad", answer.posts, answer.bad)?;
        for (name, listed) in &answer.counts {
            match listed {
                Listed::One(terms) => print_terms(&mut out, name, terms)?,
                Listed::ByWindow(windows) => {
                    for (window, terms) in windows {
                        print_terms(&mut out, &format!("{name} {window}"), terms)?;
                    }
                }
            }
        }
    }
    out.flush()
}

fn print_terms(out: &mut impl Write, title: &str, terms: &[Term]) -> std::io::Result<()> {
    writeln!(out, "\n{title}")?;
    for (rank, term) in terms.iter().enumerate() {
        writeln!(out, "{:>6} {:>10}  {}", rank + 1, term.count, visible(&term.display))?;
    }
    Ok(())
}
