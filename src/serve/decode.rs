//! Percent escapes, read strictly.
//!
//! Idea: what a client escaped wrongly is refused with the place of the mistake, instead of being taken as it stands
//! and answered with a count of 0.
//! Invariant: text is decoded once; what comes out is UTF-8.
//! Cost: one pass and one copy.

use super::problem::{Kind, Problem, quoted};

/// Decodes a part of the path; `kind` is the problem where it cannot be decoded.
pub fn decode(text: &str, kind: Kind) -> Result<String, Problem> {
    let bad = |what: &str| {
        let sent = quoted(text);
        let detail =
            format!("{sent} {what}; an escape is a percent sign and two hexadecimal digits of UTF-8");
        Problem::new(kind, detail).valid(["%25 for a percent sign"])
    };
    let mut escapes = text.split('%');
    escapes.next();
    if escapes
        .any(|rest| !rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
    {
        return Err(bad("has a percent sign that begins no escape"));
    }
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| bad("is not UTF-8 when decoded"))
}

/// Decodes a name or a value of the query, where a plus sign stands for a space.
pub fn decode_query(text: &str) -> Result<String, Problem> {
    decode(&text.replace('+', " "), Kind::BadParameter)
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(text in "\\PC*|[%+/a\u{0}é]*") {
            let encoded = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
            prop_assert_eq!(decode(&encoded, Kind::BadPath).ok(), Some(text.clone()));
            prop_assert_eq!(decode_query(&encoded).ok(), Some(text));
        }

        #[test]
        fn anything_is_decoded_or_refused(text in "[%0-9a-fA-Fé+ ]*") {
            if let Ok(decoded) = decode(&text, Kind::BadPath) {
                prop_assert!(decoded.len() <= text.len());
            }
        }
    }

    #[test]
    fn wrong_escapes_are_refused() {
        for text in ["%", "a%2", "%zz", "%2é", "%é", "%%41", "%ff", "%c3", "%ed%a0%80"] {
            assert!(decode(text, Kind::BadPath).is_err(), "{text}");
        }
        assert_eq!(decode("a%2Fb+%2525", Kind::BadPath).ok().as_deref(), Some("a/b+%25"));
        assert_eq!(decode_query("a+b%2Bc").ok().as_deref(), Some("a b+c"));
    }
}
