//! What a Jetstream is asked for.
//!
//! Idea: both versions of the interface give the same posts; they differ in their path, in the names of what is asked for,
//! and in how the dictionary of their compression is had.
//! Invariant: only posts that are created and the events that cannot be left out are asked for, and none that is longer
//! than is taken.
//! Source: Jetstream's documentation, and its lexicon `network.bsky.jetstream.subscribeEvents`.

use hyper::header;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client;

use super::packed::Packing;
use crate::produce::live::address::Address;
use crate::produce::live::broken::Broken;
use crate::produce::live::http::{AGENT, Client};
use crate::produce::live::inbox::LONGEST;

const V1: &str = "/subscribe";
const V2: &str = "/xrpc/network.bsky.jetstream.subscribeEvents";
const DICTIONARY: &str = "/xrpc/network.bsky.jetstream.getZstdDictionary";
const COLLECTION: &str = "app.bsky.feed.post";
/// More accounts make an address that is longer than servers take.
pub const MOST_DIDS: usize = 100;

/// Which of the two interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Api {
    /// `/subscribe`, which every instance has
    V1,
    /// `subscribeEvents`, which newer instances have as well
    V2,
}

/// Whether messages are compressed.
#[derive(Clone, Debug)]
pub enum Zstd {
    /// They are not.
    Off,
    /// With the dictionary that the instance hands out.
    Asked,
    /// With this one.
    Given(Vec<u8>),
}

/// What to ask for.
#[derive(Clone, Debug)]
pub struct Request {
    /// By which interface, where the address does not say.
    pub api: Api,
    /// Posts of these accounts only; empty: all.
    pub dids: Vec<String>,
    /// Whether messages are compressed.
    pub zstd: Zstd,
}

impl Request {
    /// How messages will be packed; asks the instance for its dictionary where that is needed.
    ///
    /// # Errors
    /// Where there is no dictionary to be had.
    pub async fn packing(&self, client: &Client, instance: &Address) -> Result<Packing, Broken> {
        let refused = |why: String| Broken::Refused(format!("the zstd dictionary cannot be used: {why}"));
        match &self.zstd {
            Zstd::Off => Ok(Packing::Plain),
            Zstd::Given(dictionary) => Packing::by(dictionary).map_err(refused),
            Zstd::Asked => {
                let dictionary = client.get(&instance.at(DICTIONARY), "*/*").await?;
                Packing::by(&dictionary).map_err(refused)
            }
        }
    }

    /// Path and query for this instance. A path of its own says which interface it is.
    pub fn path(&self, instance: &Address, packing: &Packing, cursor: Option<u64>) -> String {
        let own = instance.has_path().then_some(instance.path.as_str());
        let v2 = own.map_or(self.api == Api::V2, |path| path.starts_with("/xrpc/"));
        let path = own.unwrap_or(if v2 { V2 } else { V1 });
        let (collections, dids) =
            if v2 { ("collections", "dids") } else { ("wantedCollections", "wantedDids") };
        let mut query = vec![format!("{collections}={COLLECTION}"), format!("maxMessageSizeBytes={LONGEST}")];
        if v2 {
            query.push("kinds=commit".to_owned());
        }
        query.extend(
            self.dids.iter().map(|did| format!("{dids}={}", utf8_percent_encode(did, NON_ALPHANUMERIC))),
        );
        query.extend(cursor.map(|cursor| format!("cursor={cursor}")));
        match packing {
            Packing::Plain => {}
            Packing::Zstd(id, _) if v2 => query.push(format!("zstdDictionary={id}")),
            Packing::Zstd(..) => query.push("compress=true".to_owned()),
        }
        let first = if path.contains('?') { '&' } else { '?' };
        format!("{path}{first}{}", query.join("&"))
    }
}

/// The request by which a connection becomes a websocket.
///
/// # Errors
/// Where the address makes no request.
pub fn upgrade(target: &Address) -> Result<client::Request, Broken> {
    let refused =
        |why: &dyn std::fmt::Display| Broken::Refused(format!("no such request can be made: {why}"));
    // What is before the path is not sent, but for the host.
    let uri = format!("ws://{}{}", target.host_header(), target.path);
    let mut request = uri.into_client_request().map_err(|error| refused(&error))?;
    let agent = AGENT.parse().map_err(|error| refused(&error))?;
    request.headers_mut().insert(header::USER_AGENT, agent);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(instance: &str, api: Api, dids: &[&str], packing: &Packing, cursor: Option<u64>) -> String {
        let dids = dids.iter().map(|did| (*did).to_owned()).collect();
        let request = Request { api, dids, zstd: Zstd::Off };
        request.path(&instance.parse().unwrap(), packing, cursor)
    }

    #[test]
    fn each_version_is_asked_in_its_own_words() {
        assert_eq!(
            path("wss://a.example", Api::V1, &["did:plc:a"], &Packing::Plain, Some(1_725_911_162_329_308)),
            "/subscribe?wantedCollections=app.bsky.feed.post&maxMessageSizeBytes=1048576\
             &wantedDids=did%3Aplc%3Aa&cursor=1725911162329308"
        );
        assert_eq!(
            path("wss://a.example", Api::V2, &["did:plc:a"], &Packing::Plain, None),
            "/xrpc/network.bsky.jetstream.subscribeEvents?collections=app.bsky.feed.post\
             &maxMessageSizeBytes=1048576&kinds=commit&dids=did%3Aplc%3Aa"
        );
    }

    #[test]
    fn a_path_of_its_own_says_which_version_it_is() {
        let own = "wss://a.example/xrpc/other.events?kinds=account";
        assert!(
            path(own, Api::V1, &[], &Packing::Plain, None)
                .starts_with("/xrpc/other.events?kinds=account&coll")
        );
        assert!(
            path("ws://a.example/s", Api::V2, &[], &Packing::Plain, None).starts_with("/s?wantedCollections")
        );
    }
}
