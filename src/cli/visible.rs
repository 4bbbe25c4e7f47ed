//! Text from outside, made fit for a terminal.
//!
//! Idea: what a terminal could take as a command, or what would break or turn a line, is shown as an escape instead.
//! Invariant: what comes out has no control character, no line separator and no mark that turns the direction of
//! writing; all other characters are as they were.
//! Cost: a copy.

use std::fmt::Write;

/// Appends text with everything harmful escaped.
pub fn push_visible(text: impl IntoIterator<Item = char>, out: &mut String) {
    for letter in text {
        match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if letter.is_control() || turns_or_breaks(letter) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
            }
            _ => out.push(letter),
        }
    }
}

/// Text with everything harmful escaped.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_visible(text.chars(), &mut out);
    out
}

fn turns_or_breaks(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_harmful_is_left(text in "\\PC*|[\\x00-\\x1f\\x7f-\\x9f\u{2028}-\u{202e}\u{2066}-\u{2069}a]*") {
            let shown = visible(&text);
            prop_assert!(!shown.chars().any(|letter| letter.is_control() || turns_or_breaks(letter)));
            prop_assert_eq!(visible(&shown), shown.clone(), "what is harmless stays as it is");
        }
    }

    #[test]
    fn escapes_say_what_was_there() {
        assert_eq!(visible("a\x1b[2J\u{202e}\tشكرا 👩‍👩‍👧"), "a\\u{1b}[2J\\u{202e}\\tشكرا 👩‍👩‍👧");
    }
}
