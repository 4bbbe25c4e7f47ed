//! A post's own list of hashtags, in whichever of the usual forms it comes.
//!
//! Idea: the shapes differ only in the name of the field that holds the tag; one reader takes them all.
//! Invariant: the tags come out in their order and as often as they occur, without a leading `#` and never empty. A
//! list is a list even when nothing is in it: the post then has no hashtags, and its text is not scanned for them.

use std::borrow::Cow;

use super::json::{Cursor, Expected, Fault, Read, Str, object};

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

impl<'a> Read<'a> for Tags<'a> {
    fn read(input: &mut Cursor<'a>) -> Result<Self, Fault> {
        let mut tags = Tags::default();
        input.array(|_, input| {
            let tag = match input.token() {
                b'"' => Some(input.string()?),
                b'{' => Named::read(input)?.tag(),
                _ => return Err(Fault::Type(Expected::Hashtag)),
            };
            if let Some(tag) = tag {
                tags.push(tag);
            }
            Ok(())
        })?;
        Ok(tags)
    }
}

object! {
    /// An item of the list that is an object.
    struct Named<'a> { text: Str<'a> = "text", tag: Str<'a> = "tag", name: Str<'a> = "name", capital: Str<'a> = "Text" }
}

impl<'a> Named<'a> {
    /// The tag that it names, by preference, whatever order the fields stand in.
    fn tag(self) -> Option<Cow<'a, str>> {
        self.text.or(self.tag).or(self.name).or(self.capital).map(|tag| tag.0)
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
