//! The language of a text whose post does not name one.
//!
//! Idea: a small linear model (crate `whichlang`) knows sixteen languages and always names one of them, so it is asked
//! only about texts that could be in one of these by their letters: mostly of one script, long enough to say something,
//! and without more than a few letters that the sixteen do not have. Kana, Hangul and Han decide by themselves.
//! Invariant: the same text gives the same language, or none, in every run; entities play no part in it.
//! Cost: a few look-ups a letter, paid only for posts without a language where a count asks for one.

use whichlang::{Lang, detect_language};

use super::entities::{Entity, entities};
use super::html::unescape;

/// Fewer letters of an alphabet than this say nothing about a language.
const ENOUGH: usize = 10;

/// One letter in so many may be foreign to all languages of its script: names are.
const FOREIGN: usize = 50;

/// Whether a language is the one that is wanted or a variant of it: `en-gb` and `en_gb` are `en`. Both in lower case.
pub fn is_in(language: &str, wanted: &str) -> bool {
    language.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

/// Finds languages; owns the buffers that this needs.
#[derive(Debug, Default)]
pub struct Detector {
    entities: Vec<Entity>,
    text: String,
    unescaped: String,
}

/// A script, as far as languages are told by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
    Arabic,
    Devanagari,
    Han,
    Kana,
    Hangul,
    Other,
}

impl Detector {
    /// The language of a text as its ISO 639-1 code, if it is plain enough and one of `ar`, `de`, `en`, `es`, `fr`, `hi`,
    /// `it`, `ja`, `ko`, `nl`, `pt`, `ru`, `sv`, `tr`, `vi` and `zh`. `html`: the text has HTML escapes.
    pub fn detect(&mut self, text: &str, html: bool) -> Option<&'static str> {
        self.text.clear();
        entities(text, &mut self.entities);
        let mut at = 0;
        for (start, end) in
            self.entities.iter().map(|entity| (entity.start, entity.end)).chain([(text.len(), text.len())])
        {
            let piece = &text[at..start];
            self.text.push_str(if html { unescape(piece, &mut self.unescaped) } else { piece });
            self.text.push(' ');
            at = end;
        }
        language(&self.text)
    }
}

fn language(text: &str) -> Option<&'static str> {
    let (mut letters, mut foreign) = ([0; Script::Other as usize + 1], 0);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        let script = script(c);
        letters[script as usize] += 1;
        foreign += usize::from(is_foreign(script, c));
    }
    let of = |script: Script| letters[script as usize];
    let all: usize = letters.iter().sum();
    let mostly = |part: usize| part * 2 > all;
    if of(Script::Kana) > 0 && mostly(of(Script::Kana) + of(Script::Han)) {
        return Some("ja");
    }
    if mostly(of(Script::Han)) {
        return Some("zh");
    }
    if mostly(of(Script::Hangul)) {
        return Some("ko");
    }
    let alphabets = [Script::Latin, Script::Cyrillic, Script::Arabic, Script::Devanagari];
    let script = alphabets.into_iter().find(|script| mostly(of(*script)))?;
    if of(script) < ENOUGH || foreign * FOREIGN > of(script) {
        return None;
    }
    let (written, code) = named(detect_language(text));
    (written == script).then_some(code)
}

/// The script that a language is written in, and its code.
fn named(language: Lang) -> (Script, &'static str) {
    match language {
        Lang::Ara => (Script::Arabic, "ar"),
        Lang::Cmn => (Script::Han, "zh"),
        Lang::Deu => (Script::Latin, "de"),
        Lang::Eng => (Script::Latin, "en"),
        Lang::Fra => (Script::Latin, "fr"),
        Lang::Hin => (Script::Devanagari, "hi"),
        Lang::Ita => (Script::Latin, "it"),
        Lang::Jpn => (Script::Kana, "ja"),
        Lang::Kor => (Script::Hangul, "ko"),
        Lang::Nld => (Script::Latin, "nl"),
        Lang::Por => (Script::Latin, "pt"),
        Lang::Rus => (Script::Cyrillic, "ru"),
        Lang::Spa => (Script::Latin, "es"),
        Lang::Swe => (Script::Latin, "sv"),
        Lang::Tur => (Script::Latin, "tr"),
        Lang::Vie => (Script::Latin, "vi"),
    }
}

fn script(c: char) -> Script {
    match c {
        '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
        '\u{400}'..='\u{52f}' => Script::Cyrillic,
        '\u{600}'..='\u{6ff}' => Script::Arabic,
        '\u{900}'..='\u{97f}' => Script::Devanagari,
        '\u{3040}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => Script::Kana,
        '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{ac00}'..='\u{d7a3}' => Script::Hangul,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{2fa1f}' => Script::Han,
        _ => Script::Other,
    }
}

/// Whether none of the sixteen languages has this letter of its script.
fn is_foreign(script: Script, c: char) -> bool {
    const LATIN: &str = "àáâãäåæçèéêëìíîïñòóôõöùúûüýÿœßğışİăđĩũơưĂĐĨŨƠƯŒŸĞŞ";
    match script {
        Script::Latin => {
            !(c.is_ascii() || matches!(c, 'À'..='Ö' | 'Ù'..='Ý' | 'Ạ'..='ỹ') || LATIN.contains(c))
        }
        Script::Cyrillic => !matches!(c, 'А'..='я' | 'Ё' | 'ё'),
        Script::Arabic => !matches!(c, '\u{621}'..='\u{64a}'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn detect(text: &str) -> Option<&'static str> {
        Detector::default().detect(text, false)
    }

    proptest! {
        #[test]
        fn any_text_has_a_known_language_or_none(text in "\\PC*|([a-zäèşłщіپक]{1,9} ){0,20}", html: bool) {
            let mut detector = Detector::default();
            let found = detector.detect(&text, html);
            prop_assert_eq!(found, detector.detect(&text, html));
            let letters = text.chars().filter(|c| c.is_alphabetic()).count();
            prop_assert!(found.is_none() || letters > 0);
        }
    }

    #[test]
    fn plain_texts_are_known() {
        for (text, language) in [
            ("Good morning everybody, what a beautiful day it is", "en"),
            ("Guten Morgen zusammen, heute wird ein schöner Tag", "de"),
            ("Bonjour à tous, quelle belle journée nous avons", "fr"),
            ("Buenos días a todos, qué día tan bonito hace hoy", "es"),
            ("Bom dia a todos, que dia bonito está fazendo hoje", "pt"),
            ("Buongiorno a tutti, che bella giornata che fa oggi", "it"),
            ("Goedemorgen allemaal, wat een mooie dag is het vandaag", "nl"),
            ("God morgon allihopa, vilken vacker dag det är i dag", "sv"),
            ("Herkese günaydın, bugün ne kadar güzel bir gün", "tr"),
            ("Chào buổi sáng mọi người, hôm nay trời đẹp quá", "vi"),
            ("Доброе утро всем, какой сегодня прекрасный день", "ru"),
            ("صباح الخير للجميع، يا له من يوم جميل", "ar"),
            ("सुप्रभात सबको, आज का दिन बहुत सुंदर है", "hi"),
            ("おはよう、今日はいい天気ですね", "ja"),
            ("大家早上好，今天天气很好", "zh"),
            ("여러분 좋은 아침입니다", "ko"),
        ] {
            assert_eq!(detect(text), Some(language), "{text}");
        }
    }

    #[test]
    fn what_is_in_no_known_language_or_too_short_has_none() {
        for text in [
            "",
            "ok",
            "42 👍 !!!",
            "#GoodMorning @everybody https://example.com/what/a/beautiful/day",
            "Dzień dobry wszystkim, jaki dziś jest piękny dzień",
            "Dobrý večer všem, dnes je krásný večer u řeky",
            "Добрий ранок усім, який сьогодні чудовий день, їжмо її",
            "Καλημέρα σε όλους, τι όμορφη μέρα που είναι σήμερα",
            "สวัสดีตอนเช้าทุกคน วันนี้อากาศดีมาก",
            "صبح همگی بخیر، چه روز زیبایی است، پژمان گفت",
        ] {
            assert_eq!(detect(text), None, "{text}");
        }
    }

    #[test]
    fn entities_and_escapes_play_no_part() {
        let text =
            "Guten Morgen &amp; einen schönen Tag #goodmorning @TheRealEverybody https://example.com/what";
        assert_eq!(Detector::default().detect(text, true), Some("de"));
    }
}
