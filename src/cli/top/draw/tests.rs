//! What a screen of a given size shows.

use std::time::Duration;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::super::follow::{News, Wish};
use super::super::state::{Count, Ranking, Window};
use super::*;

fn state(terms: &[(&str, i64)]) -> State {
    let window = |name: &str| Window { name: name.to_owned() };
    let counts = vec![Count { name: "hashtags".to_owned(), windows: vec![window("1m"), window("all")] }];
    let mut state = State::new(counts, Wish { count: "hashtags".to_owned(), window: None, k: 10 });
    let news = update(&state, terms);
    state.take(news, Instant::now());
    state
}

fn update(state: &State, terms: &[(&str, i64)]) -> News {
    let place = |(index, (term, count)): (usize, &(&str, i64))| Place {
        rank: index + 1,
        term: (*term).to_owned(),
        display: (*term).to_owned(),
        count: *count,
    };
    let top = terms.iter().enumerate().map(place).collect();
    let as_of = "2026-01-01T00:00:00Z".parse().expect("a time");
    let stamp = Stamp { window: "1m".to_owned(), as_of, clock: Some(as_of), catching_up: false };
    News::Update(state.wish.clone(), stamp, Some(Ranking { total: 12_345, distinct: 67, top }))
}

/// The rows of the screen as text, each cell once.
fn screen(state: &State, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen");
    let wall = "2026-01-01T00:00:01.500Z".parse().expect("a time");
    terminal.draw(|frame| draw(frame, state, Instant::now(), wall)).expect("drawn");
    let buffer = terminal.backend().buffer();
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| row(y).trim_end().to_owned()).collect()
}

#[test]
fn a_ranking_has_its_header_and_a_row_a_place() {
    let mut state = state(&[("RustLang", 1200), ("été", 600)]);
    let rows = screen(&state, 80, 8);
    assert_eq!(rows[0], "tidings  hashtags   over  1m  all");
    assert_eq!(rows[1], "total 12,345   distinct 67   clock 2026-01-01 00:00:00 UTC   1.5 s old");
    assert_eq!(rows[3], format!("   1            1,200 {} RustLang", "█".repeat(20)));
    assert_eq!(rows[4], format!("   2              600 {}{} été", "█".repeat(10), " ".repeat(10)));
    assert!(rows[7].ends_with("q quit"), "{rows:?}");
    let news = update(&state, &[("new", 9), ("été", 8), ("RustLang", 7)]);
    state.take(news, Instant::now());
    let rows = screen(&state, 40, 8);
    assert_eq!(
        rows[3..6],
        ["   1 new            9 new", "   2                8 été", "   3 ▼2             7 RustLang"]
    );
}

#[test]
fn wide_and_right_to_left_terms_take_the_cells_that_they_need() {
    let terms = [("日本語日本語", 3), ("مرحبا", 2), ("👩‍👩‍👧‍👦x", 1)];
    let rows = screen(&state(&terms), 32, 7);
    // Of six characters of two cells, five fit behind 21 cells.
    assert_eq!(rows[3].replace(' ', ""), "13日本語日本");
    assert_eq!(rows[4].replace(' ', ""), "22مرحبا");
    assert_eq!(rows[5].replace(' ', ""), "31👩‍👩‍👧‍👦x");
}

#[test]
fn a_lost_connection_is_said() {
    let mut state = state(&[("a", 1)]);
    state.take(News::Lost("refused\x1b[2J".to_owned(), Duration::from_secs(3)), Instant::now());
    let rows = screen(&state, 80, 6);
    assert_eq!(rows[2], "connection lost, again in 3 s: refused\\u{1b}[2J");
    assert!(rows[3].ends_with('a'), "what was shown is shown still: {rows:?}");
}

proptest! {
    #[test]
    fn any_term_is_drawn_on_any_screen(
        terms in prop::collection::vec(("\\PC{0,40}|[\\x00-\\x1f\\x7f-\\x9f\u{202e}\u{200d}\u{fe0f}a日👩]{0,20}", 0i64..i64::MAX), 0..8),
        width in 1u16..120,
        height in 1u16..12,
    ) {
        let terms: Vec<(&str, i64)> = terms.iter().map(|(term, count)| (term.as_str(), *count)).collect();
        for row in screen(&state(&terms), width, height) {
            prop_assert!(!row.chars().any(char::is_control), "{row:?}");
        }
    }

    #[test]
    fn a_bar_has_its_length(share in -1.0f64..2.0) {
        prop_assert_eq!(bar(share).chars().count(), BAR + 1);
    }
}

#[test]
fn thousands_are_apart() {
    for (number, text) in [
        (0, "0"),
        (999, "999"),
        (1000, "1,000"),
        (-1_234_567, "-1,234,567"),
        (i64::MIN, "-9,223,372,036,854,775,808"),
    ] {
        assert_eq!(grouped(number), text);
    }
}
