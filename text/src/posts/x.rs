//! Posts of the X API v2: `{"data": {..}, "includes": {..}}`, or what is in `data` alone.
//!
//! Idea: `data` holds the post; of a long one the whole text is in its note, of a retweet it is that of the original,
//! which stands among the `includes` where the stream was asked to expand it.
//! Invariant: text, language and hashtags come from the same post and the same level. What is quoted or replied to is
//! not counted. An edit is a post of its own, as it has its own id.
//! Cost: the `includes` are skipped but for retweets.
//! Source: the public documentation of the X API.

use super::bad::{Bad, Reason};
use super::json::{Raw, Str, language, object, read};
use super::snowflake::own_time;
use super::tags::Tags;
use super::{Post, Record};

object! {
    /// One message of a stream.
    struct Message<'a> {
        data: Data<'a> = "data",
        includes: Raw<'a> = "includes",
        errors: Raw<'a> = "errors",
        connection_issue: Raw<'a> = "connection_issue",
    }
}

object! {
    /// A post.
    struct Data<'a> {
        id: Raw<'a> = "id",
        text: Str<'a> = "text",
        author_id: Raw<'a> = "author_id",
        created_at: Raw<'a> = "created_at",
        lang: Str<'a> = "lang",
        entities: Entities<'a> = "entities",
        note_tweet: Note<'a> = "note_tweet",
        note_post: Note<'a> = "note_post",
        referenced_tweets: Vec<Reference<'a>> = "referenced_tweets",
        referenced_posts: Vec<Reference<'a>> = "referenced_posts",
    }
}

object! {
    /// The whole of a text that is longer than 280 characters.
    struct Note<'a> { text: Str<'a> = "text", entities: Entities<'a> = "entities" }
}

object! {
    /// What was found in a text; only its hashtags are of use here.
    struct Entities<'a> { hashtags: Tags<'a> = "hashtags" }
}

object! {
    /// Another post that this one retweets, quotes or replies to.
    struct Reference<'a> { kind: Str<'a> = "type", id: Raw<'a> = "id" }
}

object! {
    /// The posts that a message holds beside its own.
    struct Includes<'a> { tweets: Vec<Data<'a>> = "tweets", posts: Vec<Data<'a>> = "posts" }
}

/// Reads a message of a stream, or a post that stands alone.
///
/// # Errors
/// As [`read`], and [`Reason::NoText`].
pub(super) fn record(value: &str) -> Result<Record<'_>, Bad> {
    let message: Message = read(value)?;
    match message.data {
        Some(data) => post(data, message.includes).map(Record::Post),
        None if message.errors.is_some() || message.connection_issue.is_some() => Ok(Record::Other("error")),
        None => bare(value),
    }
}

/// Reads a post that stands alone.
///
/// # Errors
/// As [`record`].
pub(super) fn bare(json: &str) -> Result<Record<'_>, Bad> {
    post(read(json)?, None).map(Record::Post)
}

fn post<'a>(data: Data<'a>, includes: Option<Raw<'a>>) -> Result<Post<'a>, Bad> {
    let id = data.id.map(|id| id.id("id")).transpose()?;
    let time = own_time(None, data.created_at, id.as_deref());
    let author = data.author_id.map(|id| id.id("author_id")).transpose()?;
    let retweeted =
        data.referenced_tweets.iter().chain(&data.referenced_posts).flatten().find(|it| it.is_retweet());
    let repost = retweeted.is_some();
    let original = match (retweeted.and_then(|it| it.id), includes) {
        (Some(id), Some(includes)) => original(&id.id("referenced_tweets.id")?, includes)?,
        _ => None,
    };
    let counted = original.unwrap_or(data);
    let note = counted.note_tweet.or(counted.note_post);
    let (text, entities) = match note {
        Some(Note { text: Some(text), entities }) => (Some(text), entities),
        _ => (counted.text, counted.entities),
    };
    Ok(Post {
        id,
        author,
        time,
        text: text.ok_or_else(|| Bad::new(Reason::NoText, "a post without `text`"))?.0,
        html: true,
        lang: language(counted.lang),
        hashtags: entities.and_then(|entities| entities.hashtags).map(|tags| tags.0),
        repost,
    })
}

impl Reference<'_> {
    fn is_retweet(&self) -> bool {
        self.kind.as_deref() == Some("retweeted")
    }
}

/// The post of the given id among the included ones, where it is there with a text.
fn original<'a>(id: &str, includes: Raw<'a>) -> Result<Option<Data<'a>>, Bad> {
    let includes: Includes = read(includes.text())?;
    for data in includes.tweets.into_iter().chain(includes.posts).flatten() {
        let same = data.id.map(|id| id.id("includes.tweets.id")).transpose()?.is_some_and(|it| it == id);
        if same && data.text.is_some() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::OwnTime;
    use super::super::tests::post;
    use super::*;

    #[test]
    fn a_post_is_read_whole() {
        let message = r#"{"data":{"id":"1296121314218897408","text":"cut","author_id":"2244994945",
            "created_at":"2020-08-19T16:26:16.000Z","lang":"en","entities":{"hashtags":[{"start":178,"end":189,"tag":"cut"}]},
            "referenced_tweets":[{"type":"quoted","id":"1"}],"edit_history_tweet_ids":["1296121314218897408"],
            "note_tweet":{"text":"all &amp; more","entities":{"hashtags":[{"start":0,"end":1,"tag":"whole"}]}}},
            "includes":{"tweets":[{"id":"1","text":"quoted"}]},"matching_rules":[{"id":"1","tag":"no"}]}"#;
        let expected = Post {
            id: Some("1296121314218897408".into()),
            author: Some("2244994945".into()),
            time: OwnTime::At(1_597_854_376_736),
            text: "all &amp; more".into(),
            html: true,
            lang: Some("en".into()),
            hashtags: Some(vec!["whole".into()]),
            repost: false,
        };
        assert_eq!(post(record, message), expected);
        let (_, from_data) = message.split_once(":").unwrap();
        let alone = from_data.split_once(r#""includes""#).unwrap().0.trim_end().trim_end_matches(',');
        assert_eq!(post(record, alone), expected);
    }

    #[test]
    fn a_retweet_is_counted_by_its_original_where_that_is_included() {
        let retweet = r#"{"data":{"id":"2","author_id":"b","created_at":"2020-08-19T16:26:16.000Z","lang":"en","text":"RT @a: cut",
            "referenced_tweets":[{"type":"replied_to","id":"3"},{"type":"retweeted","id":"1"}]},
            "includes":{"tweets":[{"id":"3","text":"no"},{"id":"1","text":"whole","lang":"ja","entities":{"hashtags":[]}}]}}"#;
        let counted = post(record, retweet);
        assert!(counted.repost);
        assert_eq!((counted.id.as_deref(), counted.author.as_deref()), (Some("2"), Some("b")));
        assert_eq!((&*counted.text, counted.lang.as_deref()), ("whole", Some("ja")));
        assert_eq!(counted.hashtags, Some(vec![]));
        assert_eq!(counted.time, OwnTime::At(1_597_854_376_000));
        let elsewhere = retweet.replace(r#""id":"1","text":"whole""#, r#""id":"4","text":"whole""#);
        assert_eq!((&*post(record, &elsewhere).text, post(record, &elsewhere).repost), ("RT @a: cut", true));
    }

    #[test]
    fn the_fewest_fields_do() {
        let post = post(record, r#"{"data":{"id":"1296121314218897408","text":"a"}}"#);
        assert_eq!((&*post.text, post.hashtags), ("a", None));
        assert_eq!(post.time, OwnTime::At(1_597_854_376_736));
    }

    #[test]
    fn errors_and_faults() {
        assert_eq!(record(r#"{"errors":[{"title":"operational-disconnect"}]}"#), Ok(Record::Other("error")));
        assert_eq!(
            record(r#"{"title":"t","connection_issue":"TooManyConnections"}"#),
            Ok(Record::Other("error"))
        );
        for (value, reason) in [
            (r#"{"data":{"id":"1"}}"#, Reason::NoText),
            ("{}", Reason::NoText),
            (r#"{"data":[{"text":"a"}]}"#, Reason::Type),
            (r#"{"data":{"text":["a"]}}"#, Reason::Type),
            ("a", Reason::Json),
        ] {
            assert_eq!(record(value).unwrap_err().reason, reason, "{value}");
        }
    }
}
