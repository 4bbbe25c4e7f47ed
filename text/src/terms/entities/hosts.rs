//! Host names inside running text.
//!
//! Idea: a host is a row of labels with dots between them, the last of which is a top-level domain; twitter-text takes
//! as many labels as it can. Which labels can stand in front is the same for every place from where a host could begin, so
//! that one look at a row of labels answers for all of them.
//! Invariant: the host found at a place is the one that a greedy regular expression with backtracking finds there.
//! Cost: linear: each label is read at most twice, whatever the text.

use super::classes::{is_domain_char, label_end};
use super::tlds::top_level_domain;

/// The longest host that a row of labels can give, and how far that holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    /// Where the first label begins that can not be part of a host.
    until: usize,
    /// Where the last label begins that has a top-level domain behind it, and where that ends.
    best: Option<(usize, usize)>,
}

/// A label, and what stands behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label<'a> {
    /// The text of the label; it may be empty.
    pub(super) text: &'a str,
    /// Where the next label begins, if there is a dot behind this one.
    pub(super) next: Option<usize>,
}

/// The label that begins at `at`.
pub(super) fn label(text: &str, at: usize) -> Label<'_> {
    let end = label_end(text, at);
    let next = (text.as_bytes().get(end) == Some(&b'.')).then_some(end + 1);
    Label { text: &text[at..end], next }
}

impl Row {
    /// End of the longest host that begins with the label at `at`; `at` must never get smaller.
    pub(super) fn host_end(&mut self, text: &str, at: usize) -> Option<usize> {
        if at >= self.until {
            *self = Row::read(text, at);
        }
        self.best.filter(|&(last, _)| last >= at).map(|(_, end)| end)
    }

    fn read(text: &str, at: usize) -> Row {
        let mut row = Row { until: at, best: None };
        loop {
            let label = label(text, row.until);
            let Some(next) = label.next else { return row };
            if !label.text.starts_with(is_domain_char) || !label.text.ends_with(is_domain_char) {
                return row;
            }
            if !label.text.contains('_')
                && let Some(length) = top_level_domain(&text[next..])
            {
                row.best = Some((row.until, next + length));
            }
            row.until = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Option<&str> {
        Row::default().host_end(text, 0).map(|end| &text[..end])
    }

    #[test]
    fn a_host_is_as_long_as_it_can_be() {
        assert_eq!(host("a.com.foo-b.co.uk.nothing"), Some("a.com.foo-b.co.uk"));
        assert_eq!(host("example.comです"), Some("example.com"));
        assert_eq!(host("a_b.c-d.com"), Some("a_b.c-d.com"));
        assert_eq!(host("日本.com."), Some("日本.com"));
    }

    #[test]
    fn some_labels_make_no_host() {
        for text in ["", "com", ".com", "a_b.com", "-a.com", "a-.com", "a..com", "a.b", "_a.b.com", "a b.com"]
        {
            assert_eq!(host(text), None, "{text}");
        }
    }

    #[test]
    fn one_reading_answers_for_all_places_in_the_row() {
        let text = "a.b.com.c_d.e";
        let mut row = Row::default();
        assert_eq!(row.host_end(text, 0), Some(7));
        assert_eq!(row.host_end(text, 2), Some(7));
        assert_eq!(row.host_end(text, 4), None);
        assert_eq!(row.host_end(text, 8), None);
    }
}
