//! Any JSON, read by pointers (RFC 6901) from the settings.
//!
//! Idea: all pointers together make one tree of steps; the record is walked along it once, and whatever lies off the
//! tree is skipped unread. What a pointer leads to is kept as its text in the record and read afterwards.
//! Invariant: a step is a key in an object and an index in an array. A pointer that leads nowhere, or to a null, means
//! that the post lacks the field.
//! Cost: one pass over the record, and one more over each value that a pointer leads to.

use super::bad::{Bad, Reason};
use super::json::{Raw, Str, language, read};
use super::tags::Tags;
use super::{OwnTime, Pointers, Post};

mod tree;
mod walk;

pub use tree::PointerError;

/// The fields that have a pointer, in the order of [`Reader::new`].
const FIELDS: usize = 6;

/// What the pointers lead to in one record, by field.
type Found<'a> = [Option<Raw<'a>>; FIELDS];

/// The pointers of all fields as one tree.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    root: tree::Node,
}

impl Reader {
    /// A reader for the given pointers.
    ///
    /// # Errors
    /// Where one of them is not a valid pointer.
    pub(super) fn new(pointers: &Pointers) -> Result<Self, PointerError> {
        let fields = [
            ("text", Some(&pointers.text)),
            ("id", pointers.id.as_ref()),
            ("author", pointers.author.as_ref()),
            ("time", pointers.time.as_ref()),
            ("lang", pointers.lang.as_ref()),
            ("tags", pointers.tags.as_ref()),
        ];
        let mut root = tree::Node::default();
        for (at, (field, pointer)) in fields.into_iter().enumerate() {
            if let Some(pointer) = pointer {
                root.insert(at, field, pointer)?;
            }
        }
        Ok(Reader { root })
    }

    /// Reads one record.
    ///
    /// # Errors
    /// As [`read`]; [`Reason::NoText`] where the pointer of the text leads nowhere, [`Reason::Type`] where a pointer
    /// leads to a value of another type than its field has. A time of another type is merely unusable.
    pub(super) fn post<'a>(&self, record: &'a str) -> Result<Post<'a>, Bad> {
        let [text, id, author, time, lang, tags] = walk::find(&self.root, record)?;
        let text = text.ok_or_else(|| Bad::new(Reason::NoText, "the pointer `posts.text` leads nowhere"))?;
        Ok(Post {
            id: id.map(|id| id.id("id")).transpose()?,
            author: author.map(|author| author.id("author")).transpose()?,
            time: time.map_or(OwnTime::Absent, Raw::time),
            text: text.string()?,
            html: false,
            lang: language(lang.map(Raw::string).transpose()?.map(Str)),
            hashtags: tags.map(|tags| read::<Tags>(tags.text())).transpose()?.map(|tags| tags.0),
            repost: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn none() -> Pointers {
        Pointers { text: String::new(), id: None, author: None, time: None, lang: None, tags: None }
    }

    fn reader(pointers: Pointers) -> Reader {
        Reader::new(&pointers).unwrap()
    }

    /// What a pointer leads to by an independent implementation, read as a text.
    fn expected(record: &Value, pointer: &str) -> Result<String, Reason> {
        match record.pointer(pointer) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Null) | None => Err(Reason::NoText),
            Some(_) => Err(Reason::Type),
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a~/0-2]{0,2}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_pointer_leads_where_serde_json_says(
            record in any_value(),
            text in "(/([a0-2/]|~0|~1){0,3}){0,3}",
            id in "(/([a0-2/]|~0|~1){0,3}){0,3}",
        ) {
            let json = record.to_string();
            let alone = reader(Pointers { text: text.clone(), ..none() }).post(&json);
            prop_assert_eq!(alone.map(|post| post.text.into_owned()).map_err(|bad| bad.reason), expected(&record, &text));
            // A second pointer, which may pass the first one's goal or end there, changes nothing for the first.
            let both = reader(Pointers { text: text.clone(), time: Some(id), ..none() }).post(&json);
            prop_assert_eq!(both.map(|post| post.text.into_owned()).map_err(|bad| bad.reason), expected(&record, &text));
        }
    }

    #[test]
    fn every_field_is_read() {
        let pointers = Pointers {
            text: "/body/0/text".into(),
            id: Some("/body/0/id".into()),
            author: Some("/a~1b/m~0n".into()),
            time: Some("/at".into()),
            lang: Some("/lang".into()),
            tags: Some("/tags".into()),
        };
        let record = r##"{"at":1469037010,"tags":["a","#b",{"name":"c"}],"x":[[[{}]]],"lang":"en","a/b":{"m~n":"me"},
            "body":[{"text":"t \u00e9","id":18446744073709551616},{"text":"no"}]}"##;
        assert_eq!(
            reader(pointers).post(record).unwrap(),
            Post {
                id: Some("18446744073709551616".into()),
                author: Some("me".into()),
                time: OwnTime::At(1_469_037_010_000),
                text: "t é".into(),
                html: false,
                lang: Some("en".into()),
                hashtags: Some(vec!["a".into(), "b".into(), "c".into()]),
                repost: false,
            }
        );
    }

    #[test]
    fn faults() {
        let reader = reader(Pointers { text: "/a/b".into(), tags: Some("/t".into()), ..none() });
        for (record, reason) in [
            ("", Reason::Json),
            ("text", Reason::Json),
            (r#"{"a":{"b":"c"}} x"#, Reason::Json),
            (r#"{"a":{"b":"c"},"a":{}}"#, Reason::Json),
            (r#"{"a":{"b":"c","b":"d"}}"#, Reason::Json),
            (r#"{"a":{"b":"\ud800"}}"#, Reason::Json),
            (r#"{"a":{"b":5}}"#, Reason::Type),
            (r#"{"a":{"b":"c"},"t":"d"}"#, Reason::Type),
            (r#"{"a":{"b":"c"},"t":[5]}"#, Reason::Type),
            ("{}", Reason::NoText),
            ("5", Reason::NoText),
            (r#"{"a":"b"}"#, Reason::NoText),
            (r#"{"a":["b"]}"#, Reason::NoText),
            (r#"{"a":{"b":null}}"#, Reason::NoText),
        ] {
            assert_eq!(reader.post(record).unwrap_err().reason, reason, "{record}");
        }
    }
}
