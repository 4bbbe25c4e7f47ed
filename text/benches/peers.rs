//! Text and decoding against the libraries that one would take otherwise: `cargo bench --bench peers`.
//!
//! Idea: words and entities together must cost less than the words alone cost elsewhere, and reading the few fields of a
//! status less than a derived reader of the same fields; so each line is a ratio of rates in one run.
//! Invariant: the same arguments measure the same posts. Rivals run in turn, the first round is not counted, and ratios
//! are taken round by round, of the time that the processor spent: others' work does not count. What they find is
//! compared before any time counts.
//! Cost: some ten seconds at the defaults.

#[path = "../../benches/measure/mod.rs"]
mod measure;
#[path = "../../benches/middle/mod.rs"]
mod middle;
#[path = "peers/status.rs"]
mod status;

use std::hint::black_box;
use std::process::ExitCode;

use clap::Parser;
use icu_segmenter::WordSegmenter;
use icu_segmenter::options::WordBreakInvariantOptions;
use measure::{Cost, measured};
use middle::{median, spread};
use tidings_synthetic::{Mix, Synthetic};
use tidings_text::posts::{Decoder, Format, Pointers, Record};
use tidings_text::terms::Kind;
use tidings_text::terms::extract::{Extractor, Input};
use unicode_segmentation::UnicodeSegmentation;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Text and decoding against other libraries
#[derive(Parser, Debug)]
struct Args {
    /// Posts of each group
    #[arg(long, default_value_t = 5_000)]
    posts: usize,
    /// Rounds; medians of these are shown
    #[arg(long, default_value_t = 11)]
    repeats: usize,
    /// Which posts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A file with a text a line, to be measured instead of invented English ones
    #[arg(long)]
    english: Option<std::path::PathBuf>,
    /// One group alone, of english, mixed and statuses
    #[arg(long)]
    only: Option<String>,
    /// Handed over by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// A way to do something with all inputs of its group; what it returns keeps it from being optimised away.
type Way<'a> = (&'a str, Box<dyn FnMut() -> usize + 'a>);

fn main() -> ExitCode {
    let args = Args::parse();
    let (english, mixed) = texts(&args);
    println!("{} posts a group, medians of {} rounds (least..largest)\n", args.posts, args.repeats);
    println!("{:<34} {:>10} {:>10} {:>8}  rate to that of the first", "", "ns/post", "CPU ns", "MB/s");
    let uax_29: fn(&str) -> usize = |text| text.unicode_words().map(str::len).sum();
    let dictionary = WordSegmenter::new_dictionary(WordBreakInvariantOptions::default());
    let by_dictionary = |text: &str| {
        let (mut start, mut bytes) = (0, 0);
        let mut segments = dictionary.segment_str(text).iter_with_word_type();
        // The first boundary is the beginning of the text.
        segments.next();
        for (end, kind) in segments {
            bytes += if kind.is_word_like() { end - start } else { 0 };
            start = end;
        }
        bytes
    };
    let wanted = |group: &str| args.only.as_deref().is_none_or(|only| only == group);
    if wanted("english") {
        group("English: words and entities", &english, &args, &uax_29, "unicode-segmentation, words");
    }
    if wanted("mixed") {
        group("mixed scripts: words and entities", &mixed, &args, &by_dictionary, "icu_segmenter, words");
    }
    if wanted("statuses") {
        decoding(&args);
    }
    ExitCode::SUCCESS
}

/// Invented posts in English, and in all languages.
fn texts(args: &Args) -> (Vec<String>, Vec<String>) {
    let mut posts = Synthetic::new(args.seed, Mix { bad: 0.0, late: 0.0, reposts: 0.0 });
    let decoder = decoder();
    let (mut english, mut mixed) = (Vec::new(), Vec::new());
    if let Some(file) = &args.english {
        let text = std::fs::read_to_string(file).expect("the file of texts can be read");
        english.extend(text.lines().take(args.posts).map(str::to_owned));
    }
    while english.len() < args.posts || mixed.len() < args.posts {
        let made = posts.next(1_735_689_600_000).value.unwrap_or_default();
        let Ok(Record::Post(post)) = decoder.decode(Some(&made)) else { continue };
        if english.len() < args.posts && post.lang.as_deref() == Some("en") {
            english.push(post.text.clone().into_owned());
        }
        if mixed.len() < args.posts {
            mixed.push(post.text.into_owned());
        }
    }
    (english, mixed)
}

fn decoder() -> Decoder {
    Decoder::new(Format::Auto, &Pointers::default()).expect("the format has no pointers")
}

/// Measures the words of texts: the other library's, then ours with and without entities as terms.
fn group(name: &str, texts: &[String], args: &Args, other: &dyn Fn(&str) -> usize, other_name: &str) {
    let own = |kinds: &[Kind]| {
        let mut extractor = Extractor::new(kinds);
        move |text: &str| {
            let terms = extractor.extract(&Input { text, html: true, hashtags: None });
            terms.map_or(0, |terms| terms.map(|(_, key, _)| key.len()).sum::<usize>())
        }
    };
    let entities = [Kind::Words, Kind::Hashtags, Kind::Mentions, Kind::Cashtags, Kind::Domains];
    let (mut all, mut words) = (own(&entities), own(&[Kind::Words]));
    let ways: Vec<Way<'_>> = vec![
        (other_name, Box::new(|| texts.iter().map(|text| other(text)).sum())),
        (name, Box::new(|| texts.iter().map(|text| all(text)).sum())),
        ("  words only, entities cut out", Box::new(|| texts.iter().map(|text| words(text)).sum())),
    ];
    measure(ways, args, texts.len(), texts.iter().map(String::len).sum());
}

/// Measures reading statuses of 2.5 KB.
fn decoding(args: &Args) {
    let statuses = status::statuses(args.posts, args.seed);
    let (decoder, bytes) = (decoder(), statuses.iter().map(String::len).sum());
    let own = |record: &str| match decoder.decode(Some(record.as_bytes())) {
        Ok(Record::Post(post)) => post.text.len() + post.hashtags.map_or(0, |tags| tags.len()),
        other => panic!("no post: {other:?}"),
    };
    for record in &statuses {
        assert_eq!(own(record), status::derived(record.as_bytes()), "both read the same");
        assert_eq!(own(record), status::borrowed(record.as_bytes()), "both read the same");
    }
    println!("\nstatuses of {} bytes", bytes / statuses.len());
    let ways: Vec<Way<'_>> = vec![
        (
            "serde_json, derived",
            Box::new(|| statuses.iter().map(|record| status::derived(record.as_bytes())).sum()),
        ),
        ("decode", Box::new(|| statuses.iter().map(|record| own(record)).sum())),
        (
            "  serde_json, derived, borrowing",
            Box::new(|| statuses.iter().map(|record| status::borrowed(record.as_bytes())).sum()),
        ),
        (
            "  serde_json, derived, known UTF-8",
            Box::new(|| statuses.iter().map(|record| status::known_text(record)).sum()),
        ),
    ];
    measure(ways, args, statuses.len(), bytes);
}

fn measure(mut ways: Vec<Way<'_>>, args: &Args, posts: usize, bytes: usize) {
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); ways.len()];
    for round in 0..=args.repeats {
        for ((_, way), costs) in ways.iter_mut().zip(&mut costs) {
            let (cost, found) = measured(way);
            black_box(found);
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    for ((name, _), own) in ways.iter().zip(&costs) {
        let middle = median(own.iter().map(|cost| cost.wall));
        let spent = median(own.iter().map(|cost| cost.cpu));
        let ratios = costs[0].iter().zip(own).map(|(first, own)| first.cpu / own.cpu);
        println!(
            "{name:<34} {:>10.0} {:>10.0} {:>8.1}  {}",
            middle * 1e9 / posts as f64,
            spent * 1e9 / posts as f64,
            bytes as f64 / spent / 1e6,
            spread(2, ratios)
        );
    }
}
