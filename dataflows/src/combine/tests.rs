//! What comes out is what came in, in room that follows from it.

use super::*;
use crate::index::size_of;
use crate::outgoing::owner_of;
use std::collections::BTreeMap;

/// Short and long terms in several panes, over several epochs and table sizes, add up as in a plain map, whoever gets them: also
/// where a single worker gets tables as they are, which are filled again then.
#[test]
fn adds_up() {
    for peers in 1..=3 {
        let mut combine = Combine::new(HashKeys::new(7));
        for epoch in [40_000u64, 3, 0, 500, 90_000, 2, 900] {
            let mut expected = BTreeMap::new();
            for i in 0..epoch {
                let term = format!("{}{}", "long-".repeat((i % 5) as usize), i / 9 % 4977);
                // Some panes get thousands of terms, some few.
                let pane = Pane::new((i % 3) as usize, if i % 17 == 0 { i % 7 } else { 8 + i % 2 });
                let index = combine.pane(pane);
                combine.add(index, term.as_bytes(), 2);
                *expected.entry((pane, term.into_bytes())).or_insert(0) += 2;
            }
            let (mut found, mut whole) = (BTreeMap::new(), false);
            combine.drain(epoch, peers, |block| {
                assert_eq!(block.epoch, epoch);
                whole |= block.panes().len() == 1 && block.len() > 1024;
                for (pane, update) in block.iter() {
                    let (term, n) = (update.term(), update.n);
                    assert_eq!(update.tag, HashKeys::new(7).tag(head(&term), &term));
                    assert_eq!(owner_of(HashKeys::new(7), &term, peers), block.owner as usize);
                    assert!(found.insert((pane, term.to_vec()), n).is_none(), "one update per key");
                }
            });
            assert_eq!(found, expected);
            assert!(peers > 1 || whole == (epoch >= 40_000), "{epoch}");
        }
    }
}

/// What a single worker gets has no more room than some times what it uses, though its table may have had more.
#[test]
fn a_table_that_was_made_for_more_is_not_handed_on() {
    let mut combine = Combine::new(HashKeys::new(7));
    for terms in [200_000, 2_000, 30_000] {
        let index = combine.pane(Pane::new(0, 1));
        (0..terms).for_each(|i: u32| combine.add(index, &i.to_be_bytes(), 1));
        combine.drain(1, 1, |block| {
            assert_eq!(block.len(), terms as usize);
            assert!(!block.rows().is_roomy(), "{terms}");
        });
    }
}

/// A dense pane, then thousands of panes with one post each, in the order of their times: none gets the room of the first.
#[test]
fn sparse_panes_take_little_room() {
    let mut combine = Combine::new(HashKeys::new(7));
    for _ in 0..2 {
        let index = combine.pane(Pane::new(0, 1));
        (0..20_000).for_each(|i: u32| combine.add(index, &i.to_be_bytes(), 1));
        let index = combine.pane(Pane::ALL);
        (0..20_000).for_each(|i: u32| combine.add(index, &i.to_be_bytes(), 1));
        combine.drain(1, 1, |_| {});
    }
    for number in 0..50_000 {
        let index = combine.pane(Pane::new(0, number));
        combine.add(index, b"post", 1);
    }
    let (slots, rows) = combine.filling.room();
    assert!(slots < (3 << 16) + 50_000 * 8, "{slots} slots");
    assert!(rows < (2 << 16) + 50_000 * 4, "room for {rows} terms");
}

/// Also in the first epoch, of which nothing is known, and behind a pane that began in the epoch before.
#[test]
fn a_pane_begins_with_the_room_that_the_one_before_took() {
    let mut combine = Combine::new(HashKeys::new(7));
    for epoch in 0..2 {
        for number in 0..6 {
            let index = combine.pane(Pane::new(0, epoch * 6 + number));
            let begun = combine.filling.table(index.0).size();
            let terms = if number == 0 { 100 } else { 5_000 };
            (0..terms).for_each(|i: u32| combine.add(index, &i.to_be_bytes(), 1));
            combine.settle();
            let grown = combine.filling.table(index.0).size() - begun;
            assert!(grown == 0 || epoch == 0 && number < 2, "pane {number} of epoch {epoch}");
        }
        combine.drain(epoch, 1, |_| {});
    }
}

/// In each epoch another of many small tables has to become large: the others stay small.
#[test]
fn small_tables_stay_small() {
    let mut combine = Combine::new(HashKeys::new(7));
    for epoch in 0..60 {
        // The newest one comes first, so that all others begin small.
        for number in [1000].into_iter().chain(0..60) {
            let index = combine.pane(Pane::new(0, number));
            let terms = if number == epoch { 5_000 } else { 1 };
            (0..terms).for_each(|i: u32| combine.add(index, &i.to_be_bytes(), 1));
        }
        combine.drain(epoch, 1, |_| {});
    }
    let (_, room) = combine.filling.room();
    assert!(room < 60 * 4 + 6 * 8192, "room for {room} terms");
}

/// Panes that are passed are sent on, as far as they are worth it; what comes for them later comes besides, and their tables
/// serve those that follow.
#[test]
fn passed_panes_go_first_and_nothing_is_lost() {
    (1..=2).for_each(passed_panes_go_first);
}

fn passed_panes_go_first(peers: usize) {
    const WORTH: usize = 1000;
    let mut combine = Combine::new(HashKeys::new(7));
    let (mut expected, mut found) = (BTreeMap::new(), BTreeMap::new());
    let mut take = |block: &mut Block| {
        for (pane, update) in block.iter() {
            *found.entry((pane, update.term().to_vec())).or_insert(0) += update.n;
        }
    };
    let mut add = |combine: &mut Combine, pane: Pane, terms: usize| {
        let index = combine.pane(pane);
        for i in 0..terms {
            // Each twice in a row, so that a long one is met again while it is only staged.
            let term = format!("{}{}", "long-".repeat(i / 2 % 5), i / 2);
            combine.add(index, term.as_bytes(), 1);
            *expected.entry((pane, term.into_bytes())).or_insert(0) += 1;
        }
    };
    // A post with a clock that is ahead, which ends nothing.
    add(&mut combine, Pane::new(0, 5000), 1);
    let mut sent = Vec::new();
    for number in 0..40 {
        let terms = if number % 10 == 3 { WORTH / 2 } else { 2 * WORTH + 100 };
        add(&mut combine, Pane::new(0, number), terms);
        // Late ones, and one in another tier.
        add(&mut combine, Pane::new(0, number / 2), 20);
        add(&mut combine, Pane::new(1, 0), 3);
        combine.pass(Pane::new(0, number), WORTH);
        assert_eq!(combine.has_passed(), number % 10 != 4 && number > 0);
        combine.send_passed(1, peers, |block| {
            sent.extend(block.panes().to_vec());
            take(block);
        });
    }
    sent.dedup();
    assert!(sent.is_sorted() && sent.len() == 35, "{sent:?}");
    assert!(sent.iter().all(|pane| pane.tier() == 0 && pane.number() % 10 != 3 && pane.number() < 39));
    let (_, rows) = combine.filling.room();
    assert!(rows < 16 * WORTH, "room for {rows} terms");
    combine.drain(1, peers, &mut take);
    assert_eq!(found, expected);
    // The next epoch knows how large a pane may become, though none was left at the end of this one.
    let index = combine.pane(Pane::new(0, 40));
    assert_eq!(combine.filling.table(index.0).size(), size_of(WORTH + 50));
}

/// The newest pane may be sent itself, where a count wants no later post for a while, and one post may be far ahead: a pane
/// begins as large as the one before it all the same.
#[test]
fn what_was_taken_out_says_how_much_comes() {
    let mut combine = Combine::new(HashKeys::new(7));
    let fill = |combine: &mut Combine, number: u64| {
        let index = combine.pane(Pane::new(0, number));
        let begun = combine.filling.table(index.0).size();
        (0..5_000).for_each(|i: u32| combine.add(index, &i.to_be_bytes(), 1));
        combine.settle();
        begun
    };
    for number in 0..4 {
        fill(&mut combine, number);
    }
    combine.pass(Pane::new(0, 9), 1);
    combine.send_passed(1, 1, |_| {});
    assert_eq!(fill(&mut combine, 8), size_of(5_000), "the newest was sent");
    combine.pane(Pane::new(0, 5000));
    assert_eq!(fill(&mut combine, 9), size_of(5_000), "another is far ahead");
}
