//! What has to be said beforehand of how records are to be read.

/// The shape of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Found out record by record.
    Auto,
    /// The value is the text itself.
    Text,
    /// A Twitter v1.1 status.
    Tweet,
    /// An X API v2 post.
    X,
    /// The struct of the Eneco connector.
    Eneco,
    /// The struct of the jcustenborder connector.
    Jcustenborder,
    /// A Bluesky Jetstream event.
    Jetstream,
    /// A Mastodon status or stream event.
    Mastodon,
    /// Any JSON object, read by pointers.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 9] = [
        Format::Auto,
        Format::Text,
        Format::Tweet,
        Format::X,
        Format::Eneco,
        Format::Jcustenborder,
        Format::Jetstream,
        Format::Mastodon,
        Format::Json,
    ];
}

/// JSON pointers (RFC 6901) of a post's fields, for the format `json`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointers {
    /// The text; must be there.
    pub text: String,
    /// The id, a string or a number.
    pub id: Option<String>,
    /// The author, a string or a number.
    pub author: Option<String>,
    /// The time: RFC 3339, or a number of seconds, milliseconds or microseconds since the Unix epoch.
    pub time: Option<String>,
    /// The language, a BCP 47 tag.
    pub lang: Option<String>,
    /// The post's own hashtags: an array of strings, or of objects with `text`, `tag` or `name`.
    pub tags: Option<String>,
}
