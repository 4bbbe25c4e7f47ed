//! `tidings produce mastodon`: the posts of a Mastodon server, as they arrive there.

use std::path::PathBuf;
use std::time::Duration;

use super::live::{self, Described, Flags, silence};
use crate::cli::failure::Failure;
use crate::config::Format;
use crate::produce::live::address::Address;
use crate::produce::live::http::Client;
use crate::produce::live::token::Token;
use crate::produce::mastodon::{Mastodon, Stream};

/// Where the token may stand in the environment.
const TOKEN: &str = "TIDINGS_MASTODON_TOKEN";

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    flags: Flags,
    /// The server, with the path below which it is where there is one
    #[arg(long, value_name = "URL", default_value = "https://mastodon.social")]
    url: Address,
    /// File with an access token of a user of the server, scope `read` [default: what TIDINGS_MASTODON_TOKEN holds]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Which posts, where no hashtag and no list is named
    #[arg(long, value_enum, default_value_t = Timeline::Public)]
    timeline: Timeline,
    /// Posts with this hashtag only; may be given several times. With --timeline local of the server's own accounts
    #[arg(long = "tag", value_name = "HASHTAG")]
    tags: Vec<String>,
    /// Posts of this list of the token's user only; may be given several times
    #[arg(long = "list", value_name = "ID")]
    lists: Vec<String>,
    /// Posts in this language only, such as en; may be given several times
    #[arg(long = "language", value_name = "LANG")]
    languages: Vec<String>,
    /// After how long without a word the connection is made anew; a server sends a heartbeat every 15 seconds
    #[arg(long, value_name = "SPAN", default_value = "45s", value_parser = silence)]
    silence: Duration,
}

/// A timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Timeline {
    /// All public posts that the server knows of
    Public,
    /// Those of its own accounts
    Local,
    /// Those of other servers' accounts
    Remote,
    /// Those of the accounts that the token's user follows
    User,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let token = Token::load(args.token_file.as_deref(), TOKEN)?;
    let dialer = args.flags.trust.dialer()?;
    let streams = streams(&args);
    let described = Described { name: "mastodon", format: Format::Mastodon, languages: args.languages };
    live::run(&args.flags, described, |_| {
        let follow = |stream| Mastodon {
            server: args.url.clone(),
            client: Client { dialer: dialer.clone(), token: Some(token.clone()) },
            stream,
            silence: args.silence,
            lost: None,
        };
        streams.into_iter().map(follow).collect()
    })
}

fn streams(args: &Args) -> Vec<Stream> {
    let local = args.timeline == Timeline::Local;
    let tags = args.tags.iter().map(|tag| Stream::Hashtag(tag.trim_start_matches('#').to_owned(), local));
    let lists = args.lists.iter().map(|list| Stream::List(list.clone()));
    let named: Vec<Stream> = tags.chain(lists).collect();
    match args.timeline {
        _ if !named.is_empty() => named,
        Timeline::Public => vec![Stream::Public],
        Timeline::Local => vec![Stream::Local],
        Timeline::Remote => vec![Stream::Remote],
        Timeline::User => vec![Stream::User],
    }
}
