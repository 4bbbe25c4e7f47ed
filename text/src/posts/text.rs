//! Plain text: the value is the text itself, as a string converter writes it.
//!
//! Invariant: the text is taken as it is; nothing is trimmed and nothing unescaped. The post states neither an id nor
//! a time, so that the record's own timestamp is the only event time.

use std::borrow::Cow;

use super::{OwnTime, Post};

/// A post of nothing but a text.
pub(super) fn post(text: Cow<'_, str>) -> Post<'_> {
    Post {
        id: None,
        author: None,
        time: OwnTime::Absent,
        text,
        html: false,
        lang: None,
        hashtags: None,
        repost: false,
    }
}
