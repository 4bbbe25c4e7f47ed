//! Emoji, each sequence as a whole: skin tones, joined families, flags and keycaps.
//!
//! Idea: a sequence never crosses a grapheme cluster (UAX #29), so that it is enough to ask of each cluster whether it
//! is an emoji (UTS #51): by its first character, by the presentation selector behind it, or by what is joined to it.
//! Invariant: a character that is text by default, such as `©` or `❤`, is an emoji only where U+FE0F, a skin tone or a
//! joiner makes it one; a digit only as a keycap.
//! Cost: ASCII and the alphabets below U+0800 are skipped; else a look-up a character, paid only where emoji are counted.

use std::ops::{ControlFlow, Range};

use icu_properties::props::{Emoji, EmojiModifier, EmojiPresentation, RegionalIndicator};
use icu_properties::{CodePointSetData, CodePointSetDataBorrowed};
use unicode_segmentation::UnicodeSegmentation;

static EMOJI: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<Emoji>();
static PRESENTED: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<EmojiPresentation>();
static SKIN_TONE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<EmojiModifier>();
static FLAG_LETTER: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<RegionalIndicator>();

const AS_TEXT: char = '\u{fe0e}';
const AS_EMOJI: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
const JOINER: char = '\u{200d}';

/// Shows each emoji of a text, in order, until `see` breaks off.
pub(super) fn try_each<B>(text: &str, mut see: impl FnMut(&str) -> ControlFlow<B>) -> ControlFlow<B> {
    let mut from = 0;
    while let Some(run) = next_run(text.as_bytes(), from) {
        from = run.end;
        let run = &text[run];
        if run.bytes().any(may_lead) {
            run.graphemes(true).filter(|cluster| is_emoji(cluster)).try_for_each(&mut see)?;
        }
    }
    ControlFlow::Continue(())
}

/// The next run of characters outside ASCII, with one character before it, which may be that of a keycap, and one behind
/// it. Between two characters of ASCII there is always a cluster boundary, but for a line end.
fn next_run(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let first = from + bytes[from..].iter().position(|byte| !byte.is_ascii())?;
    let inside = bytes[first..].windows(2).position(|pair| pair.is_ascii());
    Some(first.saturating_sub(1).max(from)..inside.map_or(bytes.len(), |step| first + step + 1))
}

/// Whether a byte is the first one in UTF-8 of any emoji, or of what makes a keycap of a digit.
fn may_lead(byte: u8) -> bool {
    byte == 0xc2 || byte >= 0xe2
}

fn is_emoji(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    let Some(first) = chars.next() else { return false };
    let rest = chars.as_str();
    if first.is_ascii() {
        return matches!(first, '0'..='9' | '#' | '*')
            && rest.trim_start_matches(AS_EMOJI).starts_with(KEYCAP);
    }
    let Some(second) = chars.next() else { return PRESENTED.contains(first) && !FLAG_LETTER.contains(first) };
    if FLAG_LETTER.contains(first) {
        return FLAG_LETTER.contains(second);
    }
    EMOJI.contains(first)
        && second != AS_TEXT
        && (PRESENTED.contains(first) || second == AS_EMOJI || SKIN_TONE.contains(second) || is_joined(rest))
}

fn is_joined(rest: &str) -> bool {
    rest.split(JOINER).skip(1).any(|part| part.chars().next().is_some_and(|c| EMOJI.contains(c)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn emoji(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let _: ControlFlow<()> = try_each(text, |emoji| {
            found.push(emoji.to_owned());
            ControlFlow::Continue(())
        });
        found
    }

    proptest! {
        #[test]
        fn no_text_has_letters_or_bare_digits_for_emoji(text in "[a-zé日0-9 #*©❤\u{fe0e}\u{301}]*") {
            prop_assert_eq!(emoji(&text), Vec::<String>::new());
        }

        #[test]
        fn sequences_come_out_as_they_went_in(
            sequences in prop::collection::vec(
                prop::sample::select(vec!["😀", "👍🏽", "👨\u{200d}👩\u{200d}👧", "🇩🇪", "1\u{fe0f}\u{20e3}", "❤\u{fe0f}",
                    "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", "👁\u{200d}🗨", "☝🏿", "#\u{20e3}"]),
                0..8,
            ),
            between in "[a-z0-9 é日]*",
        ) {
            prop_assert_eq!(emoji(&sequences.join(&format!(" {between} "))), sequences);
        }
    }

    proptest! {
        #[test]
        fn looking_at_runs_only_misses_nothing(text in "[a1#é日\r\n©❤👍🏽👩🇩🇪\u{fe0f}\u{20e3}\u{200d}\u{301}\u{600}]*|\\PC*") {
            let everywhere: Vec<&str> = text.graphemes(true).filter(|cluster| is_emoji(cluster)).collect();
            prop_assert_eq!(emoji(&text), everywhere);
        }

        #[test]
        fn no_emoji_begins_with_another_byte(c: char) {
            prop_assert!(may_lead(c.to_string().as_bytes()[0]) || c.is_ascii() || !EMOJI.contains(c));
        }
    }

    #[test]
    fn flags_come_in_pairs() {
        assert_eq!(emoji("🇩🇪🇫🇷🇺"), ["🇩🇪", "🇫🇷"]);
    }

    #[test]
    fn a_selector_decides_over_characters_of_both_kinds() {
        assert_eq!(emoji("❤ ❤\u{fe0f} ⌚ ⌚\u{fe0e} ☝ ☝\u{200d}"), ["❤\u{fe0f}", "⌚"]);
    }
}
