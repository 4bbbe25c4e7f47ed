//! Records as posts: the bytes of one Kafka record, or of one line of a file, are read as one post.
//!
//! Idea: the rest of the program knows one plain [`Post`]; every message shape met in the wild has a file of its own
//! here, and [`Decoder`] chooses among them by its [`Format`], or record by record where that is `auto`.
//! Invariant: decoding is a pure function of the bytes and of the settings, so that a recount agrees; whatever the
//! bytes are, it ends in a post, in another known message or in a [`Bad`], never in a panic.
//! Cost: a single pass over the bytes for a tweet. What JSON holds without escapes is borrowed, so that a typical post
//! allocates nothing but its list of hashtags.

use std::borrow::Cow;

mod auto;
mod bad;
mod decoder;
mod eneco;
mod envelope;
mod format;
mod html;
mod jcustenborder;
mod jetstream;
mod json;
mod mastodon;
mod pointers;
mod snowflake;
mod tags;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod tweet;
mod x;

pub use bad::{Bad, Reason};
pub use decoder::{Decoder, MAX_RECORD};
pub use format::{Format, Pointers};
pub use pointers::PointerError;

/// One message, whatever shape it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post<'a> {
    /// The source's own id; unique within one source only.
    pub id: Option<Cow<'a, str>>,
    /// Who wrote it: the handle of the account, or its id where the shape has no handle.
    pub author: Option<Cow<'a, str>>,
    /// The post's own time, as against that of the Kafka record.
    pub time: OwnTime,
    /// The whole text; of a repost that of its original.
    pub text: Cow<'a, str>,
    /// Whether HTML escapes (`&amp;`, `&lt;`, `&gt;`) still stand in `text`, as they do in Twitter's own shapes.
    pub html: bool,
    /// The language as a BCP 47 tag; `None` where it is absent or `und`.
    pub lang: Option<Cow<'a, str>>,
    /// The post's own hashtags without `#`, in order, as often as they occur. `None`: it has no list, and the text is
    /// to be scanned. An empty list is a list.
    pub hashtags: Option<Vec<Cow<'a, str>>>,
    /// Whether it repeats the post of another; then `text`, `lang` and `hashtags` are those of the original, and `id`,
    /// `author` and `time` those of the repost.
    pub repost: bool,
}

impl Post<'_> {
    /// The same post, no longer borrowing from the record.
    pub fn into_owned(self) -> Post<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Post {
            id: self.id.map(own),
            author: self.author.map(own),
            time: self.time,
            text: own(self.text),
            html: self.html,
            lang: self.lang.map(own),
            hashtags: self.hashtags.map(|tags| tags.into_iter().map(own).collect()),
            repost: self.repost,
        }
    }
}

/// The time that a post itself states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnTime {
    /// It states none.
    Absent,
    /// Unix milliseconds, greater than 0.
    At(i64),
    /// It states one that is zero, negative or no time at all.
    Unusable,
}

/// What a record turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A post.
    Post(Post<'a>),
    /// A known message that is no post, by its kind: `delete`, `limit`, `keep_alive` and so on.
    Other(&'static str),
}
