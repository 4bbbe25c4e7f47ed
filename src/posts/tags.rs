//! A post's own list of hashtags, in whichever of the usual forms it comes.
//!
//! Idea: the shapes differ only in the name of the field that holds the tag; one reader takes them all.
//! Invariant: the tags come out in their order and as often as they occur, without a leading `#` and never empty. A
//! list is a list even when nothing is in it: the post then has no hashtags, and its text is not scanned for them.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::Str;

/// The list: an array whose items are strings, or objects with the tag as `text` (Twitter v1.1), `tag` (X API v2),
/// `name` (Mastodon) or `Text` (jcustenborder).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags<'a>(pub(super) Vec<Cow<'a, str>>);

impl<'a> Tags<'a> {
    /// Adds a tag, less its sign; nothing where only the sign is there.
    pub(super) fn push(&mut self, tag: Cow<'a, str>) {
        let bare = tag.trim_start_matches(['#', '＃']);
        if bare.is_empty() {
            return;
        }
        let start = tag.len() - bare.len();
        self.0.push(match tag {
            Cow::Borrowed(tag) => Cow::Borrowed(&tag[start..]),
            Cow::Owned(mut tag) => Cow::Owned(tag.split_off(start)),
        });
    }
}

impl<'de> Deserialize<'de> for Tags<'de> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Tags<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an array of hashtags")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
                let mut tags = Tags::default();
                while let Some(Item(tag)) = list.next_element()? {
                    if let Some(tag) = tag {
                        tags.push(tag);
                    }
                }
                Ok(tags)
            }
        }

        input.deserialize_seq(List)
    }
}

/// One item of the list; `None` where an object holds no tag.
struct Item<'a>(Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Item<'de> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct One;

        impl<'de> Visitor<'de> for One {
            type Value = Item<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a hashtag: a string, or an object with `text`, `tag` or `name`")
            }

            fn visit_borrowed_str<E: Error>(self, tag: &'de str) -> Result<Self::Value, E> {
                Ok(Item(Some(Cow::Borrowed(tag))))
            }

            fn visit_str<E: Error>(self, tag: &str) -> Result<Self::Value, E> {
                Ok(Item(Some(Cow::Owned(tag.to_owned()))))
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                // By preference, whatever order they stand in.
                let names = ["text", "tag", "name", "Text"];
                let mut found: [Option<Str>; 4] = [const { None }; 4];
                while let Some(key) = map.next_key::<Str>()? {
                    let Some(at) = names.iter().position(|name| *name == &*key) else {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    if found[at].is_some() {
                        return Err(Error::duplicate_field(names[at]));
                    }
                    found[at] = map.next_value()?;
                }
                let tag = found.into_iter().flatten().next();
                Ok(Item(tag.map(|tag| tag.0)))
            }
        }

        input.deserialize_any(One)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bad::Reason;
    use super::super::json::read;
    use super::*;

    #[test]
    fn every_form_is_read() {
        let text = r##"["a", "#b", "\u0063", {"text":"D","indices":[0,2]}, {"start":1,"tag":"e"}, {"name":"f","url":"u"},
            {"Text":"g"}, {"indices":[1,2]}, "#", "", {"tag":null}, "＃日本",
            {"name":"no","text":"yes"}]"##;
        assert_eq!(read::<Tags>(text).unwrap().0, ["a", "b", "c", "D", "e", "f", "g", "日本", "yes"]);
        assert_eq!(read::<Tags>("[]").unwrap().0, [""; 0]);
    }

    #[test]
    fn what_is_no_list_of_tags_is_of_the_wrong_type() {
        for text in ["5", "\"rust\"", "{}", "[5]", "[[]]", "[null]", r#"[{"text":5}]"#] {
            assert_eq!(read::<Tags>(text).unwrap_err().reason, Reason::Type, "{text}");
        }
        assert_eq!(read::<Tags>(r#"[{"text":"a","text":"b"}]"#).unwrap_err().reason, Reason::Json);
    }
}
