//! `tidings produce synthetic`: invented posts.

use super::outlet::{Needs, Outlet, Target};
use crate::cli::failure::{Code, Failure};
use crate::produce::feed::{self, Plan};
use crate::produce::synthetic::{Mix, Synthetic};

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    target: Target,
    /// How many posts [default: without end, until Ctrl-C]
    #[arg(long, value_name = "N")]
    posts: Option<u64>,
    /// Posts a second, 0 for as fast as possible [default: 1000; with --posts 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    rate: Option<u64>,
    /// Which posts: the same seed gives the same ones
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Share of broken records, from 0 to 1: cut off, wrong types, invalid UTF-8, empty, tombstones
    #[arg(long, value_name = "SHARE", default_value_t = Mix::default().bad, value_parser = share)]
    bad: f64,
    /// Share of posts that come late, by seconds to hours, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = Mix::default().late, value_parser = share)]
    late: f64,
    /// Time of the first post, RFC 3339, such as 2026-01-01T00:00:00Z; the next ones follow by the rate (by 10000 a
    /// second if that is 0), so that nothing depends on the clock
    #[arg(long, value_name = "TIME")]
    start_time: Option<jiff::Timestamp>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    // Old times would be deleted at once by a topic with the broker's own retention.
    let needs = Needs { keep: args.start_time.is_some(), ..Needs::default() };
    let (mut outlet, _) = Outlet::open(&args.target, needs)?;
    let unless_said = if args.posts.is_some() { 0 } else { 1_000 };
    let plan = Plan {
        posts: args.posts,
        rate: args.rate.unwrap_or(unless_said),
        start_ms: args.start_time.map(jiff::Timestamp::as_millisecond),
    };
    let mut posts = Synthetic::new(args.seed, Mix { bad: args.bad, late: args.late, ..Mix::default() });
    let fed = feed::feed(&mut outlet.sender, &mut posts, plan, &mut outlet.limits);
    outlet.close(fed.err().map(|error| Failure::new(Code::Io, error.to_string())))
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1, such as 0.01".to_owned())
}
