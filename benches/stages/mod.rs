//! What each stage costs, on one thread: every one does all that the one before it does, and one thing more.
//!
//! Idea: differences between lines say what a stage costs. The last but one is all that a worker of the engine does before
//! updates are exchanged, the last is the whole loop.

use std::hint::black_box;
use std::path::Path;

use tidings::config::Config;
use tidings::engine::decode::Decode;
use tidings::posts::{Decoder, Record};
use tidings::terms::Kind;
use tidings::terms::extract::{Extractor, Input};
use tidings_dataflows::block::Block;
use tidings_dataflows::intake::Gathered;
use tidings_dataflows::records::{Origin, Records};
use tidings_dataflows::term::HashKeys;
use tidings_dataflows::windows::Windows;

use crate::rival::each_line;

/// The stages, by name.
pub const STAGES: [(&str, Stage); 4] =
    [("read", read), ("+ decode", decode), ("+ extract", extract), ("+ combine", combine)];

/// Runs one stage over a file.
pub type Stage = fn(&Path, &Config, &[Windows]);

/// Records after which the tables of `combine` are emptied: about a quarter of a second's.
const EPOCH: u64 = 60_000;

fn read(file: &Path, _config: &Config, _windows: &[Windows]) {
    let mut bytes = 0;
    each_line(file, |line| bytes += line.len());
    black_box(bytes);
}

fn decode(file: &Path, config: &Config, _windows: &[Windows]) {
    let decoder =
        Decoder::new(config.posts.format, &config.posts.pointers).expect("the format has no pointers");
    each_line(file, |line| drop(black_box(decoder.decode(Some(line)))));
}

fn extract(file: &Path, config: &Config, _windows: &[Windows]) {
    let decoder =
        Decoder::new(config.posts.format, &config.posts.pointers).expect("the format has no pointers");
    let kinds: Vec<Kind> = config.counts.iter().map(|count| count.of).collect();
    let mut extractor = Extractor::new(&kinds);
    each_line(file, |line| {
        let Ok(Record::Post(post)) = decoder.decode(Some(line)) else { return };
        let input = Input { text: &post.text, html: post.html, hashtags: post.hashtags.as_deref() };
        black_box(extractor.extract(&input).map(|terms| terms.count()).ok());
    });
}

fn combine(file: &Path, config: &Config, windows: &[Windows]) {
    let mut decode = Decode::new(config, windows, Box::new(|_| String::new()), None)
        .expect("the settings are those of the bench");
    let tables =
        config.counts.iter().map(|count| 1 + usize::from(tidings::engine::decode::has_spellings(count.of)));
    let keys = HashKeys::new(1);
    let mut gathered = Gathered::new(tables.sum(), keys);
    let mut records = Records::new(0);
    let mut lines = 0;
    let mut hand_over = |records: &mut Records, last: bool| {
        decode.decode(records, &mut gathered).expect("bad records are counted");
        let mut send = |block: &mut Block| drop(black_box(std::mem::take(block)));
        for table in &mut gathered.tables {
            if last {
                table.drain(0, 1, &mut send);
            } else if table.has_passed() {
                table.send_passed(0, 1, &mut send);
            }
        }
        gathered.begun &= !last;
        *records = Records::with_room(0, records.held());
    };
    each_line(file, |line| {
        lines += 1;
        records.push(Origin { partition: 0, offset: lines, time: i64::MIN }, Some(line));
        let last = (lines as u64).is_multiple_of(EPOCH);
        if last || records.is_full() {
            hand_over(&mut records, last);
        }
    });
    hand_over(&mut records, true);
}
