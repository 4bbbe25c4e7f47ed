//! Folding: the short ways give what the definition gives, and a key is its own key.

use caseless::Caseless;
use tidings_text::terms::Kind;
use tidings_text::terms::fold::{fold, key};
use unicode_normalization::UnicodeNormalization;

/// Folds a text; bytes that are no UTF-8 are replaced first.
pub fn check(text: &[u8]) {
    let text = &*String::from_utf8_lossy(text);
    let definition: String = text.chars().nfc().default_case_fold().nfc().collect();
    let folded = |text: &str| fold(text, &mut String::from("left over")).to_owned();
    assert_eq!(folded(text), definition);
    assert_eq!(folded(&definition), definition, "folded twice");
    assert_eq!(folded(&text.nfd().collect::<String>()), definition, "decomposed");
    for kind in Kind::ALL {
        let once = key(kind, text);
        if !once.starts_with(['#', '＃', '@', '＠', '$']) {
            assert_eq!(key(kind, &once), once, "{kind}");
        }
    }
}
