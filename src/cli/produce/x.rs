//! `tidings produce x`: posts of X by its streams, and the rules that decide which.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::live::{self, Described, Flags, Trust, silence};
use crate::cli::failure::{Code, Failure};
use crate::cli::topic::print;
use crate::config::Format;
use crate::produce::live::address::Address;
use crate::produce::live::broken::Broken;
use crate::produce::live::http::Client;
use crate::produce::live::known::Known;
use crate::produce::live::token::Token;
use crate::produce::x::rules::{self, Rule, Wanted};
use crate::produce::x::terms::{LONGEST, Terms};
use crate::produce::x::{API, MOST_BACKFILL, Stream, X};
use crate::wall::wall_ms;

/// Where the token may stand in the environment.
const TOKEN: &str = "TIDINGS_X_TOKEN";
/// By which the rules made here are known.
const TAG: &str = "tidings";

#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    api: Api,
    /// Which stream
    #[arg(long, value_enum, default_value_t = Stream::Filter)]
    stream: Stream,
    /// Posts with these words, all of them, in any order, or with a #hashtag, $cashtag or @mention; or with those of the
    /// next --track
    #[arg(long, value_name = "WORDS", value_delimiter = ',', allow_hyphen_values = true)]
    track: Vec<String>,
    /// Or posts of this account, by name or number
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',')]
    follow: Vec<String>,
    /// Or posts from this box, as west,south,east,north in degrees; where the access includes it
    #[arg(long, value_name = "BOX", allow_hyphen_values = true)]
    locations: Vec<String>,
    /// All that, and what --rule asks for, only in this language, such as en; may be given several times
    #[arg(long = "language", value_name = "LANG", value_delimiter = ',')]
    languages: Vec<String>,
    /// Or posts that match this rule, in X's own words, such as "cat has:images -is:retweet"
    #[arg(long = "rule", value_name = "RULE", allow_hyphen_values = true)]
    rules: Vec<String>,
    /// How long a rule may be; more than 1024 characters needs an access that includes it
    #[arg(long, value_name = "N", default_value_t = LONGEST)]
    rule_length: usize,
    /// Tag of the rules that are made here; those with this tag that are not named any more are removed
    #[arg(long, value_name = "TAG", default_value = TAG)]
    rule_tag: String,
    /// The most minutes to ask for again after a gap, up to 5; needs an access that includes it
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=i64::from(MOST_BACKFILL)))]
    backfill: u8,
    /// After how long without a word the connection is made anew; X sends a blank line every 20 seconds
    #[arg(long, value_name = "SPAN", default_value = "20s", value_parser = silence)]
    silence: Duration,
}

#[derive(clap::Args, Debug)]
struct Api {
    /// The API's server, with the path below which it is where there is one
    #[arg(long, value_name = "URL", default_value = API, global = true)]
    url: Address,
    /// File with the bearer token of the app [default: what TIDINGS_X_TOKEN holds]
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Look at the rules of the token's app, add and remove some; nothing is sent to Kafka
    #[command(subcommand)]
    Rules(Change),
}

#[derive(clap::Subcommand, Debug)]
enum Change {
    /// Print all rules: number, tag and value, with a tab between
    List,
    /// Add rules
    Add {
        /// What a post must have, in X's own words
        #[arg(required = true, value_name = "RULE")]
        values: Vec<String>,
        /// Tag of the rules
        #[arg(long, value_name = "TAG", default_value = "")]
        tag: String,
    },
    /// Remove rules
    Remove {
        /// Their numbers
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<String>,
        /// All rules of the app, whoever added them
        #[arg(long)]
        all: bool,
    },
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let client = client(&args.api, &args.flags.trust)?;
    let api = args.api.url.clone();
    if let Some(Command::Rules(change)) = args.command {
        return manage(&client, &api, change);
    }
    let rules = wanted(&args)?;
    // Rules have their own condition on languages; a sample has none.
    let languages = if args.stream == Stream::Filter { Vec::new() } else { args.languages };
    let described = Described { name: "x", format: Format::X, languages };
    live::run(&args.flags, described, |known| {
        let heard = (args.backfill > 0).then(|| newest(known)).flatten();
        let (stream, backfill, silence) = (args.stream, args.backfill, args.silence);
        vec![X { api, client, stream, rules, backfill, silence, heard, ruled: false }]
    })
}

fn client(api: &Api, trust: &Trust) -> Result<Client, Failure> {
    let token = Token::load(api.token_file.as_deref(), TOKEN)?;
    Ok(Client { dialer: trust.dialer()?, token: Some(token) })
}

fn wanted(args: &Args) -> Result<Option<Wanted>, Failure> {
    let usage = |text: String| Failure::new(Code::Usage, text);
    let terms = Terms {
        track: args.track.clone(),
        follow: args.follow.clone(),
        locations: args.locations.clone(),
        languages: args.languages.clone(),
        rules: args.rules.clone(),
    };
    let values = terms.rules(args.rule_length).map_err(usage)?;
    if args.stream != Stream::Filter {
        return match values.is_empty() {
            true => Ok(None),
            false => Err(usage("a sample knows no rules: leave them out, or --stream".to_owned())),
        };
    }
    if values.is_empty() && !args.languages.is_empty() {
        return Err(usage(
            "X filters by language only beside something else: add --track, --follow or --rule".to_owned(),
        ));
    }
    Ok((!values.is_empty()).then(|| Wanted { values, tag: args.rule_tag.clone() }))
}

/// When the newest post of the topic was heard of.
fn newest(known: &Known) -> Option<Instant> {
    let age = u64::try_from(wall_ms().saturating_sub(known.newest_ms?)).unwrap_or_default();
    Instant::now().checked_sub(Duration::from_millis(age))
}

fn manage(client: &Client, api: &Address, change: Change) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Io, error.to_string()))?;
    runtime.block_on(async {
        match change {
            Change::List => print(&shown(&rules::list(client, api).await.map_err(failed)?)),
            Change::Add { values, tag } => {
                print(&shown(&rules::add(client, api, &values, &tag).await.map_err(failed)?))
            }
            Change::Remove { ids, all } => {
                let ids = match all {
                    true => rules::list(client, api)
                        .await
                        .map_err(failed)?
                        .into_iter()
                        .map(|rule| rule.id)
                        .collect(),
                    false => ids,
                };
                if !ids.is_empty() {
                    rules::remove(client, api, &ids).await.map_err(failed)?;
                }
                print(&format!("{} rules removed\n", ids.len()))
            }
        }
    })
}

fn shown(rules: &[Rule]) -> String {
    rules.iter().map(|rule| format!("{}\t{}\t{}\n", rule.id, rule.tag, rule.value)).collect()
}

fn failed(broken: Broken) -> Failure {
    let code = if matches!(broken, Broken::Refused(_)) { Code::Config } else { Code::Io };
    Failure::new(code, broken.text())
}
