//! Scripts that are written without spaces between words.
//!
//! Idea: in Han, Hiragana, Katakana, Thai, Lao, Khmer and Burmese UAX #29 finds single characters or whole sentences,
//! so that runs of them go to a dictionary. Marks and joiners that follow such a character stay with it.
//! Cost: characters below Thai, which are those of nearly all alphabets, are decided by one comparison.

use icu_properties::props::{Script, WordBreak};
use icu_properties::{CodePointMapData, CodePointMapDataBorrowed};

static SCRIPT: CodePointMapDataBorrowed<'static, Script> = CodePointMapData::<Script>::new();
static WORD_BREAK: CodePointMapDataBorrowed<'static, WordBreak> = CodePointMapData::<WordBreak>::new();

/// Below this there is no character of these scripts.
const FIRST: char = '\u{e01}';

/// Whether words with this character are found by dictionary.
///
/// Beside the letters of the scripts themselves these are the characters that Katakana shares with other scripts, such
/// as the long vowel sign `ー`, and the closing mark `〆`, which is used like a Han character.
pub(super) fn is_unspaced(c: char) -> bool {
    c >= FIRST
        && (matches!(
            SCRIPT.get(c),
            Script::Han
                | Script::Hiragana
                | Script::Katakana
                | Script::Thai
                | Script::Lao
                | Script::Khmer
                | Script::Myanmar
        ) || c == '〆'
            || WORD_BREAK.get(c) == WordBreak::Katakana)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_of_the_list_and_no_others_are_unspaced() {
        assert!("漢々〇〆あゞアーｱｰกำລາຊກខ្មែរမြန်".chars().all(is_unspaced));
        assert!(!"aZ9é한ㄅжשفअ·。、！Ａ".chars().any(is_unspaced));
        assert!((0..FIRST as u32).filter_map(char::from_u32).all(|c| {
            !matches!(SCRIPT.get(c), Script::Han | Script::Thai | Script::Myanmar)
                && WORD_BREAK.get(c) != WordBreak::Katakana
        }));
    }
}
