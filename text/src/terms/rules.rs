//! By which rules texts are taken apart, as one line of text.
//!
//! Idea: counts that were kept were made by the rules of their time. Whoever goes on from them compares the lines, and says
//! so where they differ.
//! Invariant: two builds with the same line take every text apart alike.
//! Cost: none.

/// To be raised whenever a rule in this module changes what some text comes to.
const RULES: u32 = 1;

/// The line.
pub fn rules() -> String {
    let (major, minor, update) = unicode_segmentation::UNICODE_VERSION;
    let forms = unicode_normalization::UNICODE_VERSION;
    format!(
        "rules {RULES}, words of Unicode {major}.{minor}.{update}, normal forms of Unicode {}.{}.{}",
        forms.0, forms.1, forms.2
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_line_names_both_versions_of_unicode() {
        assert!(super::rules().starts_with("rules "), "{}", super::rules());
        assert_eq!(super::rules().matches("Unicode").count(), 2);
    }
}
