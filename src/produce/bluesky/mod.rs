//! Bluesky's posts, by a Jetstream: a websocket a connection, a JSON event a message.
//!
//! Idea: any instance will do, as all of them carry the whole network; where one fails the next is asked. Each counts its
//! events in its own way, so what is resumed is a time, which all understand: a little before the newest position, since
//! their clocks differ. What comes twice by that is known by its id.
//! Invariant: a position is a number of microseconds since the Unix epoch, as [`request`] takes it; where an instance
//! has not kept what lies behind it, the user is told from when to when posts are missing.
//! Source: the documentation and the lexicons of Jetstream, both versions of its interface.

mod event;
pub mod packed;
pub mod request;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use self::event::{Kind, read};
use self::packed::Packing;
use self::request::Request;
use super::live::address::Address;
use super::live::broken::{Broken, quoted};
use super::live::dial::{Dialer, Wire};
use super::live::follow::Source;
use super::live::http::{self, Client};
use super::live::inbox::{Event, Inbox, LONGEST};
use crate::wall::wall_ms;

/// The instances that Bluesky runs, for anybody.
pub const PUBLIC: [&str; 4] = [
    "wss://jetstream2.us-east.bsky.network",
    "wss://jetstream1.us-east.bsky.network",
    "wss://jetstream2.us-west.bsky.network",
    "wss://jetstream1.us-west.bsky.network",
];
/// How far back of the newest position it is resumed, in microseconds.
const REWIND: u64 = 5_000_000;
/// An instance may send longer messages than are taken, which are then left out.
const FRAME: usize = 4 * LONGEST;
/// An instance that starts later than this behind what was asked for, in microseconds, has not kept what lies between.
const HOLE: u64 = 60_000_000;
/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Jetstream that is followed.
pub struct Bluesky {
    /// Instances, in the order in which they are tried.
    pub instances: Vec<Address>,
    /// Makes the connections.
    pub dialer: Dialer,
    /// What to ask for.
    pub request: Request,
    /// After how long without a word the connection is taken for dead; half of it later the server is asked to speak.
    pub silence: Duration,
    /// The newest position that was read, or is to be resumed from.
    pub position: Option<u64>,
}

impl Source for Bluesky {
    fn addresses(&self) -> usize {
        self.instances.len()
    }

    fn shown(&self, address: usize) -> String {
        self.instances[address].shown()
    }

    async fn session(&mut self, address: usize, inbox: &Inbox) -> Broken {
        let instance = self.instances[address].clone();
        let cursor = self.position.map(|position| position.saturating_sub(REWIND));
        let (socket, packing) = match self.connect(&instance, cursor).await {
            Ok(connected) => connected,
            Err(broken) if too_old(&broken) => {
                let from = self.position.take().map(moment).unwrap_or_default();
                inbox.tell(Event::Notice(format!(
                    "posts are missing: {} has not kept what came since {from}, and goes on with the newest",
                    instance.shown()
                )));
                return Broken::Ended(broken.text().to_owned());
            }
            Err(Broken::Refused(text)) if text.contains("UnknownZstdDictionary") => {
                return Broken::Server(text);
            }
            Err(broken) => return broken,
        };
        inbox.tell(Event::Connected(instance.shown()));
        self.read(socket, packing, cursor, inbox).await
    }
}

impl Bluesky {
    /// A websocket, and how its messages are packed.
    async fn connect(
        &self,
        instance: &Address,
        cursor: Option<u64>,
    ) -> Result<(WebSocketStream<Wire>, Packing), Broken> {
        let client = Client { dialer: self.dialer.clone(), token: None };
        let packing = self.request.packing(&client, instance).await?;
        let target = instance.at(&self.request.path(instance, &packing, cursor));
        let wire = self.dialer.dial(&target).await?;
        let request = request::upgrade(&target)?;
        let config = WebSocketConfig::default().max_message_size(Some(FRAME)).max_frame_size(Some(FRAME));
        match timeout(PATIENCE, client_async_with_config(request, wire, Some(config))).await {
            Ok(Ok((socket, _))) => Ok((socket, packing)),
            Ok(Err(Error::Http(answer))) => {
                let body = answer.body().as_deref().unwrap_or_default();
                Err(http::failure(answer.status(), answer.headers(), body))
            }
            Ok(Err(error)) => Err(Broken::Network(error.to_string())),
            Err(_) => Err(Broken::Network(format!("no answer within {PATIENCE:?}"))),
        }
    }

    async fn read(
        &mut self,
        mut socket: WebSocketStream<Wire>,
        mut packing: Packing,
        cursor: Option<u64>,
        inbox: &Inbox,
    ) -> Broken {
        let mut asked = false;
        // Only who hears of everything can tell a hole from a quiet account.
        let mut resumed = cursor.filter(|_| self.request.dids.is_empty());
        loop {
            let message = match timeout(self.silence / 2, socket.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) | None) => {
                    return Broken::Ended("the server closed the connection".to_owned());
                }
                Ok(Some(Err(error))) => return Broken::Ended(error.to_string()),
                Err(_) if asked => return Broken::Ended(format!("silent for {:?}", self.silence)),
                Err(_) => {
                    asked = true;
                    if let Err(error) = socket.send(Message::Ping(Default::default())).await {
                        return Broken::Ended(error.to_string());
                    }
                    continue;
                }
            };
            asked = false;
            let bytes = match message {
                Message::Text(text) => text.as_bytes().to_vec(),
                Message::Binary(bytes) => match packing.unpack(&bytes) {
                    Ok(bytes) => bytes,
                    Err(why) => {
                        inbox.tell(Event::Unreadable(why));
                        continue;
                    }
                },
                Message::Close(reason) => {
                    let reason = reason.map(|reason| quoted(&reason.reason)).unwrap_or_default();
                    return Broken::Ended(format!("the server closed the connection: {reason}"));
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            let position = match read(&bytes) {
                Some(Kind::Event(position)) => Some(position),
                Some(Kind::Error(what)) => {
                    return Broken::Ended(format!("the server says {}", quoted(&what)));
                }
                Some(Kind::Info(what)) => {
                    inbox.tell(Event::Notice(format!("the server says {}", quoted(&what))));
                    continue;
                }
                None => None,
            };
            if let (Some(from), Some(position)) = (resumed, position) {
                resumed = None;
                if position > from + HOLE {
                    inbox.tell(Event::Notice(format!(
                        "posts are missing: nothing is kept of what came between {} and {}",
                        moment(from),
                        moment(position)
                    )));
                }
            }
            self.position = self.position.max(position);
            inbox.message(bytes, position).await;
        }
    }
}

/// Whether an instance refuses a cursor as too old, which version 2 does by name.
fn too_old(broken: &Broken) -> bool {
    matches!(broken, Broken::Refused(text) if text.contains("CursorTooOld"))
}

/// A position as a moment, for people.
fn moment(position: u64) -> String {
    let at = i64::try_from(position).ok().and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
    at.map_or_else(|| position.to_string(), |at| format!("{at:.0}"))
}

/// The position of this long ago.
pub fn ago(span: Duration) -> u64 {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    u64::try_from(wall_ms()).unwrap_or_default().saturating_mul(1000).saturating_sub(micros)
}
