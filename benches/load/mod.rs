//! The posts of a bench and the settings by which they are counted.
//!
//! Idea: made once into a file, so that what is measured begins with reading bytes that the system has in memory.
//! Invariant: the same arguments give the same bytes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use tidings::config::{self, Clock, Config, Count, Time};
use tidings::produce::synthetic::{Mix, Synthetic};
use tidings::terms::Kind;

/// The event time of the first post: the beginning of 2025, in Unix milliseconds.
const BEGIN_MS: i64 = 1_735_689_600_000;

/// What to make.
#[derive(clap::Args, Clone, Debug)]
pub struct Load {
    /// Number of records
    #[arg(long, default_value_t = 400_000)]
    pub posts: u64,
    /// Minutes of event time over which they are spread
    #[arg(long, default_value_t = 1.0)]
    pub minutes: f64,
    /// Which posts
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Share of posts that come late, by seconds to hours
    #[arg(long, default_value_t = Mix::default().late)]
    pub late: f64,
    /// Share of records that are broken
    #[arg(long, default_value_t = Mix::default().bad)]
    pub bad: f64,
    /// Share of reposts
    #[arg(long, default_value_t = Mix::default().reposts)]
    pub reposts: f64,
    /// Of how many posts one has a word that no other has: a vocabulary without end; 0: none has
    #[arg(long, default_value_t = 0)]
    pub rare: u64,
    /// Windows of both counts
    #[arg(long, value_delimiter = ',', default_value = "1m,5m,1h")]
    pub windows: Vec<String>,
    /// Milliseconds between epochs, for a profiler under which all else takes longer
    #[arg(long)]
    pub epoch: Option<u64>,
    /// Kinds of term that are counted
    #[arg(long, value_delimiter = ',', default_value = "hashtags,words")]
    pub of: Vec<Kind>,
}

/// A file that is removed in the end.
pub struct Posts {
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its lines; broken records without any bytes are left out.
    pub lines: u64,
}

impl Drop for Posts {
    fn drop(&mut self) {
        // A file that is left over does no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Load {
    /// Makes the posts.
    pub fn make(&self) -> std::io::Result<Posts> {
        let path = std::env::temp_dir().join(format!("tidings-bench-{}.jsonl", std::process::id()));
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        let mix = Mix { bad: self.bad, late: self.late, reposts: self.reposts };
        let mut posts = Synthetic::new(self.seed, mix);
        let (mut bytes, mut lines) = (0, 0);
        for number in 0..self.posts {
            let after = number as f64 * self.minutes * 60_000.0 / self.posts as f64;
            let made = posts.next(BEGIN_MS + after as i64).value.unwrap_or_default();
            if made.is_empty() || made.contains(&b'\n') {
                continue;
            }
            let line =
                if self.rare > 0 && number % self.rare == 0 { with_rare_word(&made, number) } else { made };
            out.write_all(&line)?;
            out.write_all(b"\n")?;
            bytes += line.len() as u64 + 1;
            lines += 1;
        }
        out.flush()?;
        Ok(Posts { path, bytes, lines })
    }

    /// The settings for so many workers.
    pub fn config(&self, workers: usize) -> Config {
        let mut config =
            config::load(None, std::iter::empty(), Vec::new()).expect("defaults are valid").config;
        let window = |name: &String| config::parse_window(name).expect("a window such as 5m");
        let windows: Vec<_> = self.windows.iter().map(window).collect();
        let count = |of: &Kind| Count {
            name: of.to_string(),
            of: *of,
            windows: windows.clone(),
            stop_words: Vec::new(),
            min_length: 1,
            languages: Vec::new(),
            track: Vec::new(),
        };
        config.counts = self.of.iter().map(count).collect();
        config.posts.time = Time::Post;
        config.engine.clock = Clock::Event;
        config.engine.workers = workers;
        if let Some(epoch) = self.epoch {
            config.engine.epoch = Duration::from_millis(epoch);
        }
        config
    }
}

/// The record with one more word at the beginning of its text, made of the number.
fn with_rare_word(record: &[u8], number: u64) -> Vec<u8> {
    const TEXT: &[u8] = b"\"text\":\"";
    let Some(at) = record.windows(TEXT.len()).position(|window| window == TEXT) else {
        return record.to_vec();
    };
    let (head, tail) = record.split_at(at + TEXT.len());
    let word: String = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    [head, b"zq", word.as_bytes(), b" ", tail].concat()
}
