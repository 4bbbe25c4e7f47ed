//! `[posts]`: how records are read as posts.
//!
//! Idea: `time` is one decision, so it is one key: `record`, `post`, or a pointer to the time in a post, which is of
//! use only if the post's own time is meant and so implies `post`.

use super::super::model::{Format, OnBad, Pointers, Posts, Reposts, Time};
use super::super::problem::quote;
use super::{Reader, kafka};

pub(super) fn read(reader: &mut Reader<'_>) -> Posts {
    let (time, time_pointer) = reader.parse("posts.time", time);
    let format = reader.choice(
        "posts.format",
        &[
            ("auto", Format::Auto),
            ("text", Format::Text),
            ("tweet", Format::Tweet),
            ("x", Format::X),
            ("eneco", Format::Eneco),
            ("jcustenborder", Format::Jcustenborder),
            ("jetstream", Format::Jetstream),
            ("mastodon", Format::Mastodon),
            ("json", Format::Json),
        ],
    );
    if format == Format::Json && time == Time::Post && time_pointer.is_none() {
        reader.warn(
            "posts.time",
            "is \"post\" but names no field of the JSON, such as \"/created_at\": records' times count",
        );
    }
    if format != Format::Json && time_pointer.is_some() {
        reader.warn(
            "posts.time",
            "names a field, which only `posts.format = \"json\"` reads: the posts' usual times count",
        );
    }
    let pointers = Pointers {
        text: reader.parse("posts.text", pointer),
        id: reader.optional("posts.id", pointer),
        author: reader.optional("posts.author", pointer),
        time: time_pointer,
        lang: reader.optional("posts.lang", pointer),
        tags: reader.optional("posts.tags", pointer),
    };
    if format != Format::Json {
        warn_of_pointers(reader);
    }
    Posts {
        format,
        pointers,
        time,
        reposts: reader.choice("posts.reposts", &[("count", Reposts::Count), ("skip", Reposts::Skip)]),
        on_bad: reader.choice("posts.on_bad", &[("count", OnBad::Count), ("fail", OnBad::Fail)]),
        dead_letter_topic: reader.optional("posts.dead_letter_topic", kafka::topic),
    }
}

/// Whoever writes a pointer means it to be followed.
fn warn_of_pointers(reader: &mut Reader<'_>) {
    for key in ["posts.text", "posts.id", "posts.author", "posts.lang", "posts.tags"] {
        if reader.is_changed(key) {
            reader.warn(key, "does nothing without `posts.format = \"json\"`");
        }
    }
}

/// A JSON pointer (RFC 6901); the empty one is the whole record.
fn pointer(text: &str) -> Result<String, String> {
    let escaped = |rest: &str| rest.starts_with('0') || rest.starts_with('1');
    let right = text.is_empty() || text.starts_with('/');
    if !right {
        let like = text.trim_start_matches(['$', '.']).replace('.', "/");
        let like = quote(&format!("/{like}"));
        return Err(format!(
            "{} is no JSON pointer, it must begin with a slash, such as {like}",
            quote(text)
        ));
    }
    match text.split('~').skip(1).all(escaped) {
        true => Ok(text.to_owned()),
        false => {
            Err(format!("{} is no JSON pointer, write ~0 for ~ and ~1 for a slash in a name", quote(text)))
        }
    }
}

fn time(text: &str) -> Result<(Time, Option<String>), String> {
    match text {
        "record" => Ok((Time::Record, None)),
        "post" => Ok((Time::Post, None)),
        _ if text.starts_with('/') => pointer(text).map(|pointer| (Time::Post, Some(pointer))),
        _ => Err(format!(
            "{} is none of record, post, or for the format json a pointer such as \"/created_at\"",
            quote(text)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_begin_with_a_slash() {
        for right in ["", "/body", "/a/0/b", "/", "/a~0b~1c", "/ä b"] {
            assert_eq!(pointer(right), Ok(right.to_owned()));
        }
        let wrong = [
            ("body", "must begin with a slash, such as \"/body\""),
            ("$.user.name", "must begin with a slash, such as \"/user/name\""),
            ("/a~", "write ~0 for ~ and ~1 for a slash"),
            ("/a~2", "write ~0 for ~ and ~1 for a slash"),
        ];
        for (text, why) in wrong {
            let error = pointer(text).expect_err(text);
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_pointer_to_the_time_implies_the_posts_own() {
        assert_eq!(time("record"), Ok((Time::Record, None)));
        assert_eq!(time("post"), Ok((Time::Post, None)));
        assert_eq!(time("/t"), Ok((Time::Post, Some("/t".to_owned()))));
        let error = time("created_at").expect_err("no pointer");
        assert_eq!(
            error,
            "\"created_at\" is none of record, post, or for the format json a pointer such as \"/created_at\""
        );
    }
}
