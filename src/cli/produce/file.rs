//! `tidings produce file`: the posts of files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::outlet::{Needs, Outlet, Target};
use crate::cli::failure::{Code, Failure};
use crate::posts::Decoder;
use crate::produce::lines::{self, Plan};
use crate::produce::pace::{Replay, Speed};
use crate::produce::replay::{self, Manner};
use crate::produce::table::{Columns, delimiter_of};

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Files to send, one after the other, packed by gzip or zstd or not; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the files hold [default: rows where all names end in .csv or .tsv, before .gz or .zst; else lines]
    #[arg(long, value_enum)]
    input: Option<Input>,
    /// In a table, the column that holds a field: text, created_at, id, screen_name or lang; may be given several times
    #[arg(long = "column", value_name = "FIELD=NAME", value_parser = column)]
    columns: Vec<(String, String)>,
    /// What stands between the cells of a table: one character, or \t [default: a comma; a tab in .tsv]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// How fast: max, or by the posts' own times, as in 1x, 60x, 200x; a hole of more than a day is skipped
    #[arg(long, default_value = "max")]
    speed: Speed,
    /// Begin anew behind the last line, until Ctrl-C
    #[arg(long = "loop")]
    again: bool,
    /// Leave out so many lines or rows at the beginning, as to go on where an earlier run was stopped
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "again")]
    skip: u64,
    /// Times of the records: the posts' own, or the moment at which each is sent
    #[arg(long, value_enum, default_value_t = Timestamps::Own)]
    timestamps: Timestamps,
    #[command(flatten)]
    target: Target,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Input {
    /// A post a line: JSON, or plain text
    Lines,
    /// A table whose first row names the columns
    Csv,
}

/// Which times records get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Timestamps {
    /// The posts' own
    Own,
    /// The moment
    Now,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let unreadable = |error: lines::ReadError| Failure::new(Code::Io, error.to_string());
    if args.again && args.files.iter().any(|file| file == Path::new("-")) {
        return Err(Failure::new(Code::Usage, "standard input cannot be read again: --loop needs files"));
    }
    let columns = columns(&args)?;
    let plan = Plan { paths: args.files, columns, again: args.again };
    let end = lines::size(&plan).map_err(unreadable)?;
    // What gets the time of the moment is not old.
    let keep = args.timestamps == Timestamps::Own;
    let (mut outlet, config) = Outlet::open(&args.target, Needs { keep, end, ..Needs::default() })?;
    let decoder = Decoder::new(config.posts.format, &config.posts.pointers)
        .map_err(|error| Failure::new(Code::Config, error.to_string()))?;
    let done = Arc::<AtomicU64>::default();
    let pieces = lines::read(plan, done.clone()).map_err(unreadable)?;
    let manner =
        Manner { pace: Replay::new(args.speed), skip: args.skip, now: args.timestamps == Timestamps::Now };
    let (sender, limits) = (&mut outlet.sender, &mut outlet.limits);
    let trouble = match replay::replay(sender, &pieces, &decoder, manner, limits, &done) {
        Ok(met) => {
            if met.unreadable > 0 {
                sender.warn(&format!("lines that are no posts, sent as they are: {}", met.unreadable));
            }
            if met.misdated > 0 && args.timestamps == Timestamps::Own {
                sender.warn(&format!(
                    "posts whose time cannot be read, sent with that of the moment: {}; read are RFC 3339, X's \
                     `Wed Aug 27 13:08:45 +0000 2008`, and Unix seconds or milliseconds",
                    met.misdated
                ));
            }
            if met.undated > 0 && args.speed != Speed::Max {
                sender.warn(&format!("posts without a time of their own, sent at once: {}", met.undated));
            }
            if met.stopped && !args.again {
                sender.say(&format!("stopped; --skip {} goes on from here", met.lines));
            }
            None
        }
        Err(error) => Some(Failure::new(Code::Io, error.to_string())),
    };
    outlet.close(trouble)
}

/// How the tables are written; `None` where the files hold lines.
fn columns(args: &Args) -> Result<Option<Columns>, Failure> {
    let kinds: Vec<Option<u8>> = args.files.iter().map(|file| delimiter_of(file)).collect();
    let table = match args.input {
        Some(input) => input == Input::Csv,
        None => kinds.iter().all(Option::is_some),
    };
    if !table {
        return match args.columns.is_empty() && args.delimiter.is_none() {
            true => Ok(None),
            false => {
                let text =
                    "--column and --delimiter are for tables: say --input csv where the names do not end so";
                Err(Failure::new(Code::Usage, text))
            }
        };
    }
    let tabs = kinds.iter().all(|kind| *kind == Some(b'\t'));
    let delimiter = args.delimiter.unwrap_or(if tabs { b'\t' } else { b',' });
    let renamed: BTreeMap<String, String> =
        args.columns.iter().map(|(field, name)| (name.clone(), field.clone())).collect();
    Ok(Some(Columns { delimiter, renamed }))
}

fn column(text: &str) -> Result<(String, String), String> {
    const FIELDS: [&str; 5] = ["text", "created_at", "id", "screen_name", "lang"];
    match text.split_once('=') {
        Some((field, name)) if FIELDS.contains(&field) && !name.is_empty() => {
            Ok((field.to_owned(), name.to_owned()))
        }
        _ => Err(format!("write FIELD=NAME, where FIELD is one of {}", FIELDS.join(", "))),
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [one] if !b"\"\r\n".contains(one) => Ok(*one),
        _ => Err("one character, such as ; or \\t".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_tables_are_checked() {
        assert_eq!(column("text=body"), Ok(("text".to_owned(), "body".to_owned())));
        assert!(column("body=text").is_err_and(|error| error.contains("created_at")));
        assert_eq!((delimiter("\\t"), delimiter(";")), (Ok(b'\t'), Ok(b';')));
        assert!(delimiter("ab").is_err() && delimiter("\"").is_err());
    }
}
