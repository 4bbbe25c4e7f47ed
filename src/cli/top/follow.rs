//! Follows an engine's stream, and comes back when it is lost.
//!
//! Idea: a task that always holds one stream for what is wanted now; another wish ends it and opens the next.
//! Invariant: whoever listens hears the newest ranking after every way that a stream can end; waits between two attempts
//! grow to [`LONGEST_WAIT`], and each is told. The last event is named when the same wish is asked for again, unless there was
//! another in between: who changes his mind has let go of what he had. Whoever takes nothing is sent nothing: the engine skips
//! what he would have missed.
//! Cost: a connection.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::client::{Client, ClientError, Parts};
use super::state::{Ranking, Stamp};
use super::wire::{Event, Wire};

/// The first wait before another attempt.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// An engine that lives sends something at least every 15 seconds.
const SILENCE: Duration = Duration::from_secs(40);

/// What is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The count.
    pub count: String,
    /// The window; none: the first.
    pub window: Option<String>,
    /// Places.
    pub k: usize,
}

/// What came.
#[derive(Debug)]
pub enum News {
    /// Where the engine is, and the ranking where it is not as before.
    Update(Wish, Stamp, Option<Ranking>),
    /// The stream was lost; the next attempt is made after this time.
    Lost(String, Duration),
    /// There never was a stream.
    Failed(ClientError),
}

#[derive(Deserialize)]
struct Data {
    stamp: Stamp,
    #[serde(default)]
    counts: std::collections::HashMap<String, Ranking>,
}

/// Why a stream ended.
enum End {
    /// Something else is wanted.
    Other,
    /// It was lost.
    Lost(String),
    /// Nobody listens any more.
    Unheard,
}

impl Wish {
    fn path(&self) -> String {
        let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let mut path = format!("/v1/events?counts={}&k={}", escape(&self.count), self.k);
        if let Some(window) = &self.window {
            path.push_str(&format!("&window={}", escape(window)));
        }
        path
    }
}

/// Follows until nobody listens, or the first attempt fails.
pub async fn follow(client: Client, mut wishes: watch::Receiver<Wish>, news: mpsc::Sender<News>) {
    let (mut ever, mut wait) = (false, FIRST_WAIT);
    let mut last = None;
    loop {
        if wishes.has_changed().unwrap_or(false) {
            last = None;
        }
        let wish = wishes.borrow_and_update().clone();
        let why = match client.stream(&wish.path(), last.as_deref()).await {
            Ok(parts) => {
                ever = true;
                let mut came = false;
                match read(parts, &wish, &mut last, &mut wishes, &news, &mut came).await {
                    End::Other => {
                        last = None;
                        continue;
                    }
                    End::Unheard => return,
                    End::Lost(why) => {
                        if came {
                            wait = FIRST_WAIT;
                        }
                        why
                    }
                }
            }
            Err(error) if !ever => {
                let _ = news.send(News::Failed(error)).await;
                return;
            }
            Err(error) => error.to_string(),
        };
        if news.send(News::Lost(why, wait)).await.is_err() {
            return;
        }
        tokio::select! {
            () = sleep(wait) => {}
            changed = wishes.changed() => match changed {
                Ok(()) => last = None,
                Err(_) => return,
            }
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn read(
    mut parts: Parts,
    wish: &Wish,
    last: &mut Option<String>,
    wishes: &mut watch::Receiver<Wish>,
    news: &mpsc::Sender<News>,
    came: &mut bool,
) -> End {
    let mut wire = Wire::default();
    loop {
        let part = tokio::select! {
            changed = wishes.changed() => return if changed.is_ok() { End::Other } else { End::Unheard },
            part = timeout(SILENCE, parts.next()) => part,
        };
        let bytes = match part {
            Ok(Some(Ok(bytes))) => bytes,
            Ok(Some(Err(error))) => return End::Lost(error.to_string()),
            Ok(None) => return End::Lost("the engine has ended the stream".to_owned()),
            Err(_) => return End::Lost(format!("nothing has come for {SILENCE:?}")),
        };
        let Ok(events) = wire.take(&bytes) else {
            return End::Lost("an event was larger than any should be".to_owned());
        };
        for event in events {
            match update(wish, &event) {
                Ok(update) => {
                    *came = true;
                    *last = Some(event.id);
                    if news.send(update).await.is_err() {
                        return End::Unheard;
                    }
                }
                Err(error) => return End::Lost(format!("an event cannot be read: {error}")),
            }
        }
    }
}

/// A snapshot and a diff have the whole ranking of the one count that is followed; progress has none.
fn update(wish: &Wish, event: &Event) -> Result<News, serde_json::Error> {
    let mut data: Data = serde_json::from_str(&event.data)?;
    let ranking = data.counts.remove(&wish.count);
    Ok(News::Update(wish.clone(), data.stamp, ranking))
}
