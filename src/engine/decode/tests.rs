//! Panes leave an epoch early once all partitions have passed them, and only then; bad records are refused in their places.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tidings_dataflows::term::HashKeys;
use tidings_dataflows::windows::Span;

use super::*;
use crate::config;

/// An event time at which a pane of one second begins.
const BEGIN: u64 = 1_735_689_600_000;

/// Words of a pane in the posts below: enough to be worth it.
const WORDS: u64 = WORTH as u64 + 100;

struct Case {
    decode: Decode,
    gathered: Gathered<Tally>,
    found: BTreeMap<(Pane, String), i64>,
}

impl Case {
    fn new() -> Case {
        let mut config = config::load(None, [], Vec::new()).expect("the defaults are valid").config;
        config.posts.time = Time::Post;
        config.counts.retain(|count| count.of == Kind::Words);
        let windows = Windows::new(vec![Span { size: 60_000, slide: 1000 }], false).expect("one fits");
        let decode = Decode::new(&config, &[windows], Box::new(|_| String::new()), None);
        let gathered = Gathered::new(1, HashKeys::new(7));
        Case { decode: decode.expect("they are valid"), gathered, found: BTreeMap::new() }
    }

    /// Decodes posts of one second of a partition, each with a hundred words that no other has.
    fn fill(&mut self, partition: u32, second: u64) {
        let mut records = Records::new(0);
        for first in (0..WORDS).step_by(100) {
            let words: Vec<String> =
                (first..first + 100).map(|word| format!("w{partition}x{word}")).collect();
            let time = BEGIN + second * 1000 + first * 999 / WORDS;
            let post = serde_json::json!({ "id": "1", "text": words.join(" "), "created_at": time });
            let origin = Origin { partition, ..Origin::default() };
            records.push(origin, Some(post.to_string().as_bytes()));
        }
        self.decode.decode(&records, &mut self.gathered).expect("they are posts");
    }

    /// The seconds that leave now.
    fn sent(&mut self) -> Vec<u64> {
        let (mut panes, found) = (Vec::new(), &mut self.found);
        if self.gathered.tables[0].has_passed() {
            self.gathered.tables[0].send_passed(1, 1, |block| {
                panes.extend(block.panes().iter().map(|pane| pane.number() - BEGIN / 1000));
                for (pane, update) in block.iter() {
                    let term = String::from_utf8(update.term().to_vec()).expect("terms are text");
                    *found.entry((pane, term)).or_default() += update.n;
                }
            });
        }
        panes.sort_unstable();
        panes.dedup();
        panes
    }

    fn end_epoch(&mut self) {
        self.gathered.tables[0].drain(1, 1, |_| {});
        self.gathered.begun = false;
    }
}

#[test]
fn one_partition_passes_what_is_two_panes_back() {
    let mut case = Case::new();
    let sent: Vec<_> = (0..5)
        .map(|second| {
            case.fill(0, second);
            case.sent()
        })
        .collect();
    assert_eq!(sent, [vec![], vec![], vec![0], vec![1], vec![2]]);
    assert_eq!(case.found.len() as u64, 3 * WORDS.next_multiple_of(100));
    assert!(case.found.values().all(|n| *n == 1));
    assert_eq!(case.gathered.tally.posts, 5 * WORDS.div_ceil(100));
}

#[test]
fn the_partition_that_is_furthest_behind_decides_until_it_has_nothing_for_an_epoch() {
    let mut case = Case::new();
    case.fill(0, 0);
    case.fill(1, 0);
    (1..6).for_each(|second| case.fill(0, second));
    assert_eq!(case.sent(), [0; 0], "the other is still at its first second");
    case.fill(1, 3);
    assert_eq!(case.sent(), [0, 1]);
    // It may only be slow: one epoch without it changes nothing.
    case.end_epoch();
    (6..10).for_each(|second| case.fill(0, second));
    assert_eq!(case.sent(), [0; 0]);
    case.end_epoch();
    (10..14).for_each(|second| case.fill(0, second));
    assert_eq!(case.sent(), [10, 11]);
}

/// A machine may be started with a clock that is days behind, and the posts of now are no posts of the far future for that.
#[test]
fn what_is_far_ahead_is_so_by_the_clock_where_that_is_later_than_the_wall() {
    let mut case = Case::new();
    let hour = 3_600_000;
    let later = u64::try_from(wall_ms()).expect("it is after 1970") + 48 * hour;
    let mut decode = |clock: Clock, time: u64| {
        let Case { decode, gathered, .. } = &mut case;
        (decode.clock, gathered.clock, gathered.tally) = (clock, later, Tally::default());
        let mut records = Records::new(0);
        let post = serde_json::json!({ "id": "1", "text": "word", "created_at": time });
        records.push(Origin::default(), Some(post.to_string().as_bytes()));
        decode.decode(&records, gathered).expect("it is a post");
        gathered.tally.ahead
    };
    assert_eq!(decode(Clock::Wall, later + hour), 0);
    assert_eq!(decode(Clock::Wall, later + 25 * hour), 1);
    assert_eq!(decode(Clock::Event, later - hour), 1, "posts do not lead each other on");
}

/// Records are decoded some at a time; what is wrong with one is nothing to those beside it, wherever it stands among them.
#[test]
fn bad_records_are_refused_in_order_and_the_others_count() {
    let mut config = config::load(None, [], Vec::new()).expect("the defaults are valid").config;
    config.counts.retain(|count| count.of == Kind::Words);
    for on_bad in [OnBad::Count, OnBad::Fail] {
        config.posts.on_bad = on_bad;
        let refused = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&refused);
        let take: Refused = Box::new(move |origin, value, bad| {
            assert!(value.is_some());
            seen.borrow_mut().push((origin.offset, bad.reason));
        });
        let windows = Windows::new(vec![Span { size: 60_000, slide: 1000 }], false).expect("one fits");
        let mut decode = Decode::new(&config, &[windows], Box::new(|_| "a-0".to_owned()), Some(take))
            .expect("they are valid");
        let (mut records, mut expected) = (Records::new(0), Vec::new());
        let many = 3 * TOGETHER as i64 + 1;
        for offset in 0..many {
            let text = match offset {
                offset if offset % 7 == 3 => {
                    expected.push((offset, Reason::Json));
                    "{".to_owned()
                }
                offset if offset % 11 == 5 => {
                    expected.push((offset, Reason::TooManyTerms));
                    serde_json::json!({ "text": "a ".repeat(10_001) }).to_string()
                }
                _ => serde_json::json!({ "text": "word" }).to_string(),
            };
            let origin = Origin { partition: 0, offset, time: BEGIN as i64 };
            records.push(origin, Some(text.as_bytes()));
        }
        let mut gathered = Gathered::new(1, HashKeys::new(7));
        let ended = decode.decode(&records, &mut gathered);
        assert_eq!(*refused.borrow(), expected);
        assert_eq!(
            ended.err().map(|why| why.contains("a-0 offset 3: ")),
            (on_bad == OnBad::Fail).then_some(true)
        );
        let good = many - expected.len() as i64;
        assert_eq!(gathered.tally.posts, good as u64);
        let mut found = BTreeMap::new();
        gathered.tables[0].drain(1, 1, |block| {
            for (_, update) in block.iter() {
                *found.entry(update.term().to_vec()).or_insert(0) += update.n;
            }
        });
        assert_eq!(found, BTreeMap::from([(b"word".to_vec(), good)]));
    }
}
