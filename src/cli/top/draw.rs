//! The screen: a header, a row a place, the keys.
//!
//! Idea: the term stands last in its row, since a term that is written from right to left would turn what stands behind
//! it; wide characters take two cells, and what does not fit is cut between two characters that are seen as one.
//! Invariant: whatever a term holds, a row is one row, and nothing in it is a command to the terminal.
//! Cost: a screen of cells, of which only those that changed are sent.

use std::time::Instant;

use indicatif::HumanCount;
use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::state::{Movement, Place, Stamp, State};
use crate::cli::visible::visible;

/// Cells of the longest bar.
const BAR: usize = 20;

/// Draws what is shown, as of now.
pub fn draw(frame: &mut Frame<'_>, state: &State, now: Instant, wall: Timestamp) {
    let rows = [Constraint::Length(1), Constraint::Length(1), Constraint::Length(1), Constraint::Length(1)];
    let [tabs, figures, sign, keys] = match frame.area().height {
        // No room for a ranking under a whole header.
        ..4 => [Rect::ZERO; 4],
        _ => {
            let [tabs, figures, sign, _, keys] = Layout::vertical(
                rows[..3]
                    .iter()
                    .copied()
                    .chain([Constraint::Fill(1), Constraint::Length(1)])
                    .collect::<Vec<_>>(),
            )
            .areas(frame.area());
            [tabs, figures, sign, keys]
        }
    };
    let top = figures.height + tabs.height + sign.height;
    let height = frame.area().height.saturating_sub(top + keys.height);
    let places = Rect { y: frame.area().y + top, height, ..frame.area() };
    frame.render_widget(Paragraph::new(choices(state)), tabs);
    frame.render_widget(Paragraph::new(facts(state, wall)), figures);
    frame.render_widget(Paragraph::new(trouble(state, now)), sign);
    let width = usize::from(places.width);
    let lines: Vec<_> =
        shown(state).iter().take(usize::from(height)).map(|place| row(state, place, width)).collect();
    frame.render_widget(Paragraph::new(lines), places);
    let help = "←/→ window   ↑/↓ or tab count   q quit";
    frame.render_widget(Paragraph::new(help).style(Style::new().add_modifier(Modifier::DIM)), keys);
}

fn shown(state: &State) -> &[Place] {
    state.shown.as_ref().map_or(&[], |(_, ranking)| &ranking.top)
}

/// All counts, then the windows of the one that is shown.
fn choices(state: &State) -> Line<'static> {
    let chosen = |name: &str, is: bool| {
        let span = Span::from(format!(" {} ", visible(name)));
        if is { span.reversed().bold() } else { span }
    };
    let mut spans = vec![Span::from("tidings ").bold()];
    spans.extend(state.counts.iter().map(|count| chosen(&count.name, count.name == state.wish.count)));
    spans.push(Span::from("  over "));
    let count = state.counts.iter().find(|count| count.name == state.wish.count);
    let windows = count.into_iter().flat_map(|count| &count.windows);
    spans.extend(windows.map(|window| chosen(&window.name, window.name == state.window())));
    Line::from(spans)
}

fn facts(state: &State, wall: Timestamp) -> Line<'static> {
    let Some((stamp, ranking)) = &state.shown else { return Line::from("waiting for the first ranking") };
    let clock = stamp
        .clock
        .map_or("none yet".to_owned(), |clock| clock.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let facts = format!(
        "total {}   distinct {}   clock {clock}   {}",
        grouped(ranking.total),
        HumanCount(ranking.distinct),
        age(stamp, wall)
    );
    Line::from(facts)
}

/// How old what is shown is.
pub fn age(stamp: &Stamp, wall: Timestamp) -> String {
    let seconds = wall.duration_since(stamp.as_of).as_secs_f64().max(0.0);
    format!("{seconds:.1} s old")
}

fn trouble(state: &State, now: Instant) -> Line<'static> {
    if let Some(lost) = &state.lost {
        let seconds = lost.again.saturating_duration_since(now).as_secs_f64();
        let said = format!("connection lost, again in {seconds:.0} s: {}", visible(&lost.why));
        return Line::from(said).style(Style::new().fg(Color::Red).bold());
    }
    match &state.shown {
        Some((stamp, _)) if stamp.catching_up => {
            Line::from("catching up: old posts are still being read").style(Style::new().fg(Color::Yellow))
        }
        _ => Line::default(),
    }
}

fn row(state: &State, place: &Place, width: usize) -> Line<'static> {
    let most = shown(state).first().map_or(1, |first| first.count).max(1);
    let (moved, style) = match state.movement(place) {
        Movement::New => ("new".to_owned(), Style::new().fg(Color::Cyan)),
        Movement::By(0) => (String::new(), Style::new()),
        Movement::By(up @ 1..) => (format!("▲{up}"), Style::new().fg(Color::Green)),
        Movement::By(down) => (format!("▼{}", -down), Style::new().fg(Color::Red)),
    };
    let mut spans = vec![
        Span::from(format!("{:>4} ", place.rank)),
        Span::styled(format!("{moved:<5}"), style),
        Span::from(format!("{:>11} ", grouped(place.count))).bold(),
    ];
    // On a narrow screen the term is worth more than its bar.
    if width >= 60 {
        spans.push(Span::styled(bar(place.count as f64 / most as f64), Style::new().fg(Color::Blue)));
    }
    spans.push(Span::from(visible(&place.display)));
    Line::from(spans)
}

/// A bar in eighths of a cell, filled up to its full length.
fn bar(share: f64) -> String {
    const PARTS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (share.clamp(0.0, 1.0) * (BAR * 8) as f64).ceil() as usize;
    let mut bar: String = (0..eighths / 8).map(|_| '█').collect();
    bar.extend(PARTS.get(eighths % 8).filter(|part| **part != ' '));
    let length = bar.chars().count();
    bar.extend((length..=BAR).map(|_| ' '));
    bar
}

/// A number with its thousands apart.
pub fn grouped(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", HumanCount(number.unsigned_abs()))
}

#[cfg(test)]
mod tests;
