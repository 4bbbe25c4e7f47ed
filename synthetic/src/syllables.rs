//! Invented words in eight languages' letters.
//!
//! Idea: a word of the long tail is a few syllables drawn from the sounds of its script, enough of them that tens of
//! thousands differ. They mean nothing and are meant to: what they must do is to go through the very same code paths
//! as real words do, letters with marks, two-letter digraphs, kanji, jamo blocks, Thai vowels before consonants.
//! Invariant: a word consists of letters and marks of one script only, and is never empty.

use super::random::Random;

/// How words of a language are made: appends one word of about this many syllables.
pub type Maker = fn(&mut Random, u32, &mut String);

const ONSETS: &[&str] = &[
    "b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z", "br", "ch",
    "cl", "dr", "fl", "gr", "pl", "pr", "sh", "sk", "st", "tr", "th", "",
];
const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "a", "e", "o", "ai", "ea", "ou", "y"];
const CODAS: &[&str] = &["", "", "", "n", "r", "l", "s", "t", "m", "nd", "st", "ck", "x"];

/// Words in plain Latin letters.
pub fn english(random: &mut Random, syllables: u32, out: &mut String) {
    for _ in 0..syllables {
        for part in [ONSETS, VOWELS, CODAS] {
            out.push_str(random.pick(part));
        }
    }
}

/// Latin letters with acute accents, tilde and diaeresis.
pub fn spanish(random: &mut Random, syllables: u32, out: &mut String) {
    const ONSETS: &[&str] = &[
        "b", "c", "d", "f", "g", "j", "l", "ll", "m", "n", "ñ", "p", "qu", "r", "s", "t", "v", "z", "br",
        "tr", "ch",
    ];
    const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "a", "o", "á", "é", "í", "ó", "ú", "ue", "ie", "ió"];
    const CODAS: &[&str] = &["", "", "", "n", "s", "r", "l"];
    for _ in 0..syllables {
        for part in [ONSETS, VOWELS, CODAS] {
            out.push_str(random.pick(part));
        }
    }
}

/// Latin letters with umlauts and sharp s; every second word has the capital of a noun.
pub fn german(random: &mut Random, syllables: u32, out: &mut String) {
    const ONSETS: &[&str] = &[
        "B", "D", "F", "G", "H", "K", "L", "M", "N", "R", "S", "T", "W", "Z", "Sch", "St", "Pf", "Kr", "Schw",
    ];
    const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "ä", "ö", "ü", "ei", "ie", "au", "eu"];
    const CODAS: &[&str] = &["", "n", "r", "l", "t", "ch", "ß", "tz", "ng", "st", "rn"];
    let noun = random.below(2) == 0;
    for syllable in 0..syllables {
        let onset = random.pick(ONSETS);
        if noun && syllable == 0 {
            out.push_str(onset)
        } else {
            out.extend(onset.chars().flat_map(char::to_lowercase))
        }
        out.push_str(random.pick(VOWELS));
        out.push_str(random.pick(CODAS));
    }
}

/// Cyrillic letters.
pub fn russian(random: &mut Random, syllables: u32, out: &mut String) {
    const ONSETS: &[&str] = &[
        "б", "в", "г", "д", "ж", "з", "к", "л", "м", "н", "п", "р", "с", "т", "ф", "х", "ц", "ч", "ш", "щ",
        "ст", "пр",
    ];
    const VOWELS: &[&str] = &["а", "е", "и", "о", "у", "ы", "э", "ю", "я", "ё", "о", "а"];
    const CODAS: &[&str] = &["", "", "", "й", "н", "т", "ть", "к", "в", "л", "сть"];
    for _ in 0..syllables {
        for part in [ONSETS, VOWELS, CODAS] {
            out.push_str(random.pick(part));
        }
    }
}

/// Two or three kanji, or a word in katakana.
pub fn japanese(random: &mut Random, syllables: u32, out: &mut String) {
    const KANJI: &str = "一人大小中国年月日本水火木金土上下左右前後東西南北新古高低長短明暗白黒赤青緑山川海空雨雪風雲星花草森\
        林田町村市県道路駅車船飛行歩走来帰出入開閉始終食飲料理店家屋室窓門学校生徒教科書文字言語話読聞見思考知識心感情愛友仲間親子男\
        女王神社寺祭歌音楽映画写真絵色形線点力気電光熱医薬病院体頭手足目耳口";
    const KATAKANA: &str = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンガギグゴザジダデドバビブベボパピプペポ";
    if random.below(4) == 0 {
        for _ in 0..syllables + 2 {
            out.push(letter(random, KATAKANA));
        }
        if random.below(2) == 0 {
            out.push('ー');
        }
    } else {
        for _ in 0..syllables.clamp(2, 3) {
            out.push(letter(random, KANJI));
        }
    }
}

/// Hangul syllable blocks of common sounds.
pub fn korean(random: &mut Random, syllables: u32, out: &mut String) {
    const FIRST: &[u32] = &[0, 2, 3, 5, 6, 7, 9, 11, 12, 14, 15, 16, 17, 18];
    const MIDDLE: &[u32] = &[0, 1, 4, 5, 6, 8, 12, 13, 18, 20];
    const LAST: &[u32] = &[0, 0, 0, 0, 4, 8, 16, 17, 21, 1];
    for _ in 0..syllables.max(2) {
        let block = 0xac00 + (random.pick(FIRST) * 21 + random.pick(MIDDLE)) * 28 + random.pick(LAST);
        out.extend(char::from_u32(block));
    }
}

/// Arabic consonants with long vowels between, some with the article.
pub fn arabic(random: &mut Random, syllables: u32, out: &mut String) {
    const CONSONANTS: &str = "بتثجحخدذرزسشصضطظعغفقكلمنه";
    const LONG: &[&str] = &["", "", "ا", "و", "ي"];
    if random.below(4) == 0 {
        out.push_str("ال");
    }
    for _ in 0..syllables + 1 {
        out.push(letter(random, CONSONANTS));
        out.push_str(random.pick(LONG));
    }
    if random.below(5) == 0 {
        out.push('ة');
    }
}

/// Thai consonants with vowels before, above, below and behind them, and tone marks.
pub fn thai(random: &mut Random, syllables: u32, out: &mut String) {
    const CONSONANTS: &str = "กขคงจชซดตถทนบปผพฟมยรลวสหอ";
    const BEFORE: &[&str] = &["", "", "", "เ", "แ", "โ", "ไ"];
    const AFTER: &[&str] = &["า", "ิ", "ี", "ุ", "ู", "ะ", "ื", "ั"];
    const TONE: &[&str] = &["", "", "", "่", "้"];
    const CODA: &[&str] = &["น", "ง", "ม", "ก", "ด", "บ"];
    for _ in 0..syllables {
        let before = random.pick(BEFORE);
        out.push_str(before);
        out.push(letter(random, CONSONANTS));
        let after = if before.is_empty() { random.pick(AFTER) } else { "" };
        if matches!(after, "า" | "ะ") {
            out.push_str(random.pick(TONE));
            out.push_str(after);
        } else {
            out.push_str(after);
            out.push_str(random.pick(TONE));
        }
        if after == "ั" || random.below(3) == 0 {
            out.push_str(random.pick(CODA));
        }
    }
}

/// One letter of a row of letters.
fn letter(random: &mut Random, row: &str) -> char {
    let at = random.below(row.chars().count() as u32) as usize;
    row.chars().nth(at).unwrap_or('a')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Belongs = fn(char) -> bool;

    proptest! {
        #[test]
        fn words_are_letters_of_their_script(seed: u64, syllables in 1u32..5) {
            let in_script: [(Maker, Belongs); 8] = [
                (english, |c| c.is_ascii_lowercase()),
                (spanish, |c| c.is_alphabetic() && c < '\u{250}'),
                (german, |c| c.is_alphabetic() && c < '\u{250}'),
                (russian, |c| ('\u{400}'..'\u{500}').contains(&c)),
                (japanese, |c| ('\u{30a0}'..'\u{a000}').contains(&c)),
                (korean, |c| ('\u{ac00}'..'\u{d7b0}').contains(&c)),
                (arabic, |c| ('\u{620}'..'\u{650}').contains(&c)),
                (thai, |c| ('\u{e00}'..'\u{e50}').contains(&c)),
            ];
            for (maker, belongs) in in_script {
                let mut word = String::new();
                maker(&mut Random::new(seed), syllables, &mut word);
                prop_assert!(!word.is_empty() && word.chars().all(belongs), "{word}");
            }
        }
    }
}
