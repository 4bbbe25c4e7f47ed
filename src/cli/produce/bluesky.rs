//! `tidings produce bluesky`: the posts of Bluesky, as they are written.

use std::path::PathBuf;
use std::time::Duration;

use super::live::{self, Described, Flags, silence};
use crate::cli::failure::{Code, Failure};
use crate::config::{Format, parse_duration};
use crate::produce::bluesky::packed::Packing;
use crate::produce::bluesky::request::{Api, MOST_DIDS, Request, Zstd};
use crate::produce::bluesky::{Bluesky, PUBLIC, ago};
use crate::produce::live::address::Address;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    flags: Flags,
    /// A Jetstream instance, such as wss://jetstream.example; several are tried in turn [default: the four of Bluesky]
    #[arg(long = "url", value_name = "URL")]
    urls: Vec<Address>,
    /// Which of Jetstream's two interfaces to use, where the address has no path
    #[arg(long, value_enum, default_value_t = Api::V1)]
    api: Api,
    /// Posts of this account only; may be given up to a hundred times
    #[arg(long = "did", value_name = "DID")]
    dids: Vec<String>,
    /// Posts in this language only, such as en; may be given several times
    #[arg(long = "language", value_name = "LANG")]
    languages: Vec<String>,
    /// Where to begin: resume behind what the topic holds, live, an RFC 3339 time, or as long ago as -2h; instances keep
    /// some 36 hours
    #[arg(long, value_name = "WHERE", default_value = "resume", allow_hyphen_values = true, value_parser = from)]
    from: From,
    /// Have messages compressed: less than half of the traffic. With --api v1 it needs --zstd-dictionary
    #[arg(long)]
    zstd: bool,
    /// Jetstream's zstd dictionary [default with --api v2: what the instance hands out]
    #[arg(long, value_name = "FILE", requires = "zstd")]
    zstd_dictionary: Option<PathBuf>,
    /// After how long without a word the connection is made anew
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = silence)]
    silence: Duration,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Resume,
    Live,
    At(u64),
    Ago(Duration),
}

fn from(text: &str) -> Result<From, String> {
    let ago = text.strip_prefix('-').and_then(|span| parse_duration(span).ok());
    let at = text.parse().ok().and_then(|at: jiff::Timestamp| u64::try_from(at.as_microsecond()).ok());
    match (text, ago, at) {
        ("resume", ..) => Ok(From::Resume),
        ("live", ..) => Ok(From::Live),
        (_, Some(span), _) => Ok(From::Ago(span)),
        (.., Some(micros)) => Ok(From::At(micros)),
        _ => Err(format!("{text:?} is none of resume, live, an RFC 3339 time, or as long ago as -2h")),
    }
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    if args.dids.len() > MOST_DIDS {
        let text = format!("at most {MOST_DIDS} accounts fit into a request; without --did all are sent");
        return Err(Failure::new(Code::Usage, text));
    }
    let zstd = zstd(&args)?;
    let dialer = args.flags.trust.dialer()?;
    let instances = match args.urls.is_empty() {
        true => PUBLIC.iter().filter_map(|url| url.parse().ok()).collect(),
        false => args.urls,
    };
    let request = Request { api: args.api, dids: args.dids, zstd };
    let described = Described { name: "bluesky", format: Format::Jetstream, languages: args.languages };
    live::run(&args.flags, described, |known| {
        let position = match args.from {
            From::Resume => known.resume,
            From::Live => None,
            From::At(micros) => Some(micros),
            From::Ago(span) => Some(ago(span)),
        };
        vec![Bluesky { instances, dialer, request, silence: args.silence, position }]
    })
}

fn zstd(args: &Args) -> Result<Zstd, Failure> {
    match (args.zstd, &args.zstd_dictionary) {
        (false, _) => Ok(Zstd::Off),
        (true, None) if args.api == Api::V1 => Err(Failure::new(
            Code::Usage,
            "--zstd with --api v1 needs --zstd-dictionary: the file `zstd_dictionary` of Jetstream's own repository; \
             with --api v2 the instance hands it out",
        )),
        (true, None) => Ok(Zstd::Asked),
        (true, Some(path)) => {
            let fail = |why: String| {
                Failure::new(Code::Config, format!("--zstd-dictionary {}: {why}", path.display()))
            };
            let dictionary = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
            Packing::by(&dictionary).map_err(fail)?;
            Ok(Zstd::Given(dictionary))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_begin_is_said_in_four_ways() {
        assert_eq!((from("resume"), from("live")), (Ok(From::Resume), Ok(From::Live)));
        assert_eq!(from("2026-01-01T00:00:00Z"), Ok(From::At(1_767_225_600_000_000)));
        assert_eq!(from("-2h"), Ok(From::Ago(Duration::from_secs(7200))));
        for wrong in ["", "earliest", "2h", "yesterday"] {
            assert!(from(wrong).is_err_and(|error| error.contains("RFC 3339")), "{wrong}");
        }
    }
}
