//! `tidings checkpoint`: looks into checkpoints. It changes nothing, and asks nobody but the store.

use std::collections::BTreeMap;
use std::io::{BufWriter, ErrorKind, Write};
use std::sync::Arc;

use serde::Serialize;

use super::failure::{Code, Failure};
use crate::checkpoint::manifest::{Count, Manifest, Place, Starts};
use crate::checkpoint::{CheckpointError, Store, keys, load, open_store, verify};
use crate::serve::Time;

/// Flags of `tidings checkpoint`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tidings checkpoint list /var/lib/tidings\n  \
    tidings checkpoint verify file:///var/lib/tidings\n  \
    tidings checkpoint export /var/lib/tidings | jq -c 'select(.count == \"words\" and .term == \"rust\")'\n\n\
    The rows of a term add up to its count of all time, or of all that is kept where no window is `all`; those whose pane is\n\
    \"spelling\" say how often it was spelled so, and are no part of that. An occurrence stands in one row only: in \"all\" once\n\
    no other window covers it any more.")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// List the checkpoints of a directory, the newest last
    List(Dir),
    /// Read all that the checkpoints refer to, and say what is damaged; exit 65 where something is
    Verify(Dir),
    /// Print the rows of a checkpoint, a line of JSON each
    Export {
        #[command(flatten)]
        dir: Dir,
        /// The number of the checkpoint; the newest by default
        #[arg(long)]
        number: Option<u64>,
    },
}

#[derive(clap::Args, Debug)]
struct Dir {
    /// A directory, or an address as `checkpoint.dir` takes it
    dir: String,
}

/// Does it.
///
/// # Errors
/// What cannot be read, or is damaged.
pub fn run(args: Args) -> Result<(), Failure> {
    let out = BufWriter::new(std::io::stdout().lock());
    let done = match args.what {
        What::List(Dir { dir }) => list(&*store(&dir)?, out),
        What::Verify(Dir { dir }) => verify_all(&*store(&dir)?, out),
        What::Export { dir: Dir { dir }, number } => export(&*store(&dir)?, number, out),
    };
    match done {
        // Whoever closed the pipe has seen enough.
        Err(End::Closed) | Ok(()) => Ok(()),
        Err(End::Failed(failure)) => Err(failure),
    }
}

/// Why printing ends early.
enum End {
    Closed,
    Failed(Failure),
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> End {
        match error.kind() {
            ErrorKind::BrokenPipe => End::Closed,
            _ => End::Failed(Failure::new(Code::Io, format!("cannot print: {error}"))),
        }
    }
}

impl From<CheckpointError> for End {
    fn from(error: CheckpointError) -> End {
        End::Failed(error.into())
    }
}

fn store(dir: &str) -> Result<Arc<dyn Store>, Failure> {
    let address = if dir.contains("://") { dir.to_owned() } else { format!("file://{dir}") };
    Ok(open_store(&address)?)
}

/// Numbers of all checkpoints, ascending; there must be one.
fn numbers(store: &dyn Store) -> Result<Vec<u64>, CheckpointError> {
    let numbers: Vec<u64> = store.list(keys::MANIFESTS)?.iter().filter_map(|key| keys::number(key)).collect();
    if numbers.is_empty() {
        return Err(CheckpointError::Unusable(format!("there are no checkpoints in {}", store.show(""))));
    }
    Ok(numbers)
}

fn list(store: &dyn Store, mut out: impl Write) -> Result<(), End> {
    writeln!(out, "number\tgeneration\twritten\tposts\trows\tbytes\tnext offsets")?;
    for number in numbers(store)? {
        match verify::manifest(store, number) {
            Ok(manifest) => {
                let Manifest { generation, written, tally, topics, .. } = &manifest;
                let offsets = topics.iter().flat_map(|topic| {
                    let next = |kept: &crate::checkpoint::manifest::Partition| {
                        format!("{}:{}:{}", topic.name, kept.partition, kept.next)
                    };
                    topic.partitions.iter().map(next)
                });
                let (offsets, rows, bytes) =
                    (offsets.collect::<Vec<_>>().join(","), manifest.rows(), manifest.bytes());
                let written = shown(*written);
                let posts = tally.posts;
                writeln!(out, "{number}\t{generation}\t{written}\t{posts}\t{rows}\t{bytes}\t{offsets}")?;
            }
            Err(error) => writeln!(out, "{number}\t{error}")?,
        }
    }
    Ok(out.flush()?)
}

fn verify_all(store: &dyn Store, mut out: impl Write) -> Result<(), End> {
    let (mut damaged, numbers) = (0, numbers(store)?);
    for number in &numbers {
        match verify::manifest(store, *number).and_then(|manifest| {
            verify::segments(store, &manifest)?;
            Ok((manifest.rows(), manifest.bytes()))
        }) {
            Ok((rows, bytes)) => writeln!(out, "{number}: whole, {rows} rows in {bytes} bytes")?,
            // A run that goes on takes older ones away.
            Err(_) if !self::numbers(store)?.contains(number) => {
                writeln!(out, "{number}: taken away meanwhile, since there are newer ones")?;
            }
            Err(error) => {
                damaged += 1;
                writeln!(out, "{number}: {error}")?;
            }
        }
    }
    out.flush()?;
    match damaged {
        0 => Ok(()),
        _ => {
            let message = format!("{damaged} of {} checkpoints cannot be used", numbers.len());
            Err(End::Failed(Failure::new(Code::Data, message)))
        }
    }
}

/// A row as it is printed.
#[derive(Serialize)]
struct Row<'a> {
    count: &'a str,
    /// `all`, `spelling`, or where the pane begins.
    pane: Pane,
    #[serde(skip_serializing_if = "Option::is_none")]
    slide_ms: Option<u64>,
    term: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    spelling: Option<&'a str>,
    n: i64,
    /// The offsets from which it was counted, where they are not those of the partitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_offsets: Option<&'a Starts>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Pane {
    Named(&'static str),
    From(Time),
}

fn export(store: &dyn Store, number: Option<u64>, mut out: impl Write) -> Result<(), End> {
    let there = numbers(store)?;
    let number = number.or(there.last().copied()).unwrap_or(0);
    if !there.contains(&number) {
        let there = there.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        return Err(
            CheckpointError::Unusable(format!("there is no checkpoint {number}; there are {there}")).into()
        );
    }
    let manifest = verify::manifest(store, number)?;
    let counts: BTreeMap<u32, &Count> = manifest.counts.iter().map(|count| (count.id, count)).collect();
    let mut failed = None;
    let print = |(count, place, term, n): load::Row<'_>| {
        if failed.is_some() {
            return;
        }
        let mut parts =
            term.splitn(2, |byte| *byte == 0xFF).map(|part| std::str::from_utf8(part).unwrap_or("\u{fffd}"));
        let (term, spelling) = (parts.next().unwrap_or_default(), parts.next());
        let (pane, slide_ms) = match place {
            Place::All => (Pane::Named("all"), None),
            Place::Spellings => (Pane::Named("spelling"), None),
            Place::Pane(slide, number) => (Pane::From(Time(slide.saturating_mul(number))), Some(slide)),
        };
        let (count, start_offsets) =
            counts.get(&count).map_or(("?", None), |count| (count.name.as_str(), count.start.as_ref()));
        let row = Row { count, pane, slide_ms, term, spelling, n, start_offsets };
        let written = serde_json::to_writer(&mut out, &row).map_err(std::io::Error::from);
        failed = written.and_then(|()| out.write_all(b"\n")).err();
    };
    load::load(store, &manifest, (0, 1), print, || {})?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(out.flush()?),
    }
}

fn shown(ms: u64) -> String {
    serde_json::to_string(&Time(ms)).unwrap_or_default().trim_matches('"').to_owned()
}
