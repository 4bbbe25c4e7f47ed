//! The ranking on a terminal, until a key or a signal ends it.
//!
//! Idea: keys, what came from the engine, and the time that goes by all come to one place, which then draws anew.
//! Invariant: the terminal is as it was before, whether the program is told to end, ends by an error, or meets a bug.
//! Cost: a screen is drawn when something came, at most [`FRAMES`] times a second, and twice a second for the age.

use std::io;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::{mpsc, watch};

use super::client::ClientError;
use super::draw::draw;
use super::follow::{News, Wish};
use super::state::State;

/// How often the age is shown anew where nothing comes.
const TICK: Duration = Duration::from_millis(500);

/// Screens a second, at most.
const FRAMES: u32 = 20;

/// Why there is no screen any more.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// The terminal does not do what it should.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
    /// There never was a stream.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meant {
    Quit,
    Count(isize),
    Window(isize),
    Nothing,
}

/// Shows until the user has seen enough.
///
/// # Errors
/// Where the terminal cannot be used, or the first stream could not be opened.
pub async fn show(
    mut state: State,
    wishes: watch::Sender<Wish>,
    mut news: mpsc::Receiver<News>,
    stop: impl Future<Output = ()>,
) -> Result<(), ScreenError> {
    let mut stop = std::pin::pin!(stop);
    // Wanted before the screen changes: an address where nobody listens is told on the usual one. An engine that has
    // counted nothing yet may keep it waiting for long, and then whoever asked may go.
    let first = tokio::select! { () = &mut stop => return Ok(()), first = news.recv() => first };
    match first {
        Some(News::Failed(error)) => return Err(error.into()),
        Some(first) => drop(state.take(first, Instant::now())),
        None => return Ok(()),
    }
    // It may fail half-way, when keys are not echoed any more.
    let mut terminal = ratatui::try_init().inspect_err(|_| ratatui::restore())?;
    let mut keys = keys();
    let shown = run(&mut terminal, &mut state, &wishes, &mut news, &mut keys, stop).await;
    let restored = ratatui::try_restore();
    shown?;
    Ok(restored?)
}

async fn run(
    terminal: &mut DefaultTerminal,
    state: &mut State,
    wishes: &watch::Sender<Wish>,
    news: &mut mpsc::Receiver<News>,
    keys: &mut mpsc::UnboundedReceiver<io::Result<Event>>,
    stop: impl Future<Output = ()>,
) -> Result<(), ScreenError> {
    let mut stop = std::pin::pin!(stop);
    loop {
        terminal.draw(|frame| draw(frame, state, Instant::now(), jiff::Timestamp::now()))?;
        tokio::time::sleep(Duration::from_secs(1) / FRAMES).await;
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(TICK) => {}
            came = news.recv() => match came {
                Some(News::Failed(error)) => return Err(error.into()),
                Some(came) => drop(state.take(came, Instant::now())),
                None => return Ok(()),
            },
            key = keys.recv() => match key {
                Some(Ok(Event::Key(key))) => match meant(key) {
                    Meant::Quit => return Ok(()),
                    Meant::Count(step) => state.other_count(step),
                    Meant::Window(step) => state.other_window(step),
                    Meant::Nothing => {}
                },
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            },
        }
        // What else has come meanwhile goes into the same screen.
        while let Ok(came) = news.try_recv() {
            state.take(came, Instant::now());
        }
        wishes.send_if_modified(|wish| {
            let other = *wish != state.wish;
            state.wish.clone_into(wish);
            other
        });
    }
}

/// Keys as they are pressed. The thread waits for the next one for ever; the end of the program ends it.
fn keys() -> mpsc::UnboundedReceiver<io::Result<Event>> {
    let (pressed, keys) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        loop {
            let event = event::read();
            let failed = event.is_err();
            if pressed.send(event).is_err() || failed {
                return;
            }
        }
    });
    keys
}

fn meant(key: KeyEvent) -> Meant {
    if key.kind == KeyEventKind::Release {
        return Meant::Nothing;
    }
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Meant::Quit,
        KeyCode::Char('q' | 'Q') | KeyCode::Esc => Meant::Quit,
        KeyCode::Left | KeyCode::Char('h') => Meant::Window(-1),
        KeyCode::Right | KeyCode::Char('l') => Meant::Window(1),
        KeyCode::Up | KeyCode::BackTab | KeyCode::Char('k') => Meant::Count(-1),
        KeyCode::Down | KeyCode::Tab | KeyCode::Char('j') => Meant::Count(1),
        _ => Meant::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An engine that has counted nothing yet sends nothing that could be shown.
    #[tokio::test]
    async fn whoever_waits_for_the_first_ranking_may_go() {
        let wish = Wish { count: "words".to_owned(), window: None, k: 10 };
        let (wishes, _followed) = watch::channel(wish.clone());
        let (_silent, news) = mpsc::channel(1);
        let stop = tokio::time::sleep(Duration::from_millis(50));
        let shown = show(State::new(Vec::new(), wish), wishes, news, stop);
        let ended = tokio::time::timeout(Duration::from_secs(30), shown).await;
        assert!(matches!(ended, Ok(Ok(()))));
    }

    #[test]
    fn keys_mean_what_the_last_row_says() {
        let key = |code, modifiers| meant(KeyEvent::new(code, modifiers));
        let none = KeyModifiers::NONE;
        assert_eq!(key(KeyCode::Char('q'), none), Meant::Quit);
        assert_eq!(key(KeyCode::Esc, none), Meant::Quit);
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Meant::Quit);
        assert_eq!(key(KeyCode::Char('c'), none), Meant::Nothing);
        assert_eq!(key(KeyCode::Right, none), Meant::Window(1));
        assert_eq!(key(KeyCode::Tab, none), Meant::Count(1));
        assert_eq!(key(KeyCode::Up, none), Meant::Count(-1));
    }
}
