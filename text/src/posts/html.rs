//! The text of a piece of HTML, as a reader sees it.
//!
//! Idea: tags go, what they hold stays; a tag that begins or ends a line in a browser becomes a line break, any other
//! leaves no trace, so that `#<span>Rust</span>` is one word. Escapes are undone.
//! Invariant: whatever the input is, the work is linear in it, and the result is no longer than it. It is text for
//! counting: it has to be escaped again before it may be shown.

use crate::terms::html::numbered;

/// Tags that stand at the beginning or the end of a line.
const LINES: [&str; 14] =
    ["p", "br", "div", "li", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"];

/// The text of `html`, without line breaks at its ends.
pub(super) fn text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        rest = match from.strip_prefix('<') {
            Some(tag) => past_tag(tag, &mut out),
            None => past_escape(from, &mut out),
        };
    }
    out.push_str(rest);
    out.truncate(out.trim_end_matches('\n').len());
    out
}

/// What follows a tag, the `<` of which has been read. What is no tag stays as it is; one without an end hides all that
/// follows, as it does in a browser.
fn past_tag<'a>(tag: &'a str, out: &mut String) -> &'a str {
    if !tag.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?')) {
        out.push('<');
        return tag;
    }
    if let Some(comment) = tag.strip_prefix("!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let name = tag.trim_start_matches('/');
    let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
    if LINES.iter().any(|line| line.eq_ignore_ascii_case(name)) && !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    // A `>` in the quoted value of an attribute does not end the tag.
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return &tag[at + 1..],
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    ""
}

/// What follows an escape that begins with the `&` of `from`. What is no escape stays as it is.
fn past_escape<'a>(from: &'a str, out: &mut String) -> &'a str {
    // The longest escape that is known, `&#x10ffff;`, has ten bytes.
    let end = from.bytes().take(10).position(|byte| byte == b';');
    let decoded = end.and_then(|end| decode(&from[1..end]).map(|decoded| (decoded, &from[end + 1..])));
    let (decoded, rest) = decoded.unwrap_or(('&', &from[1..]));
    out.push(decoded);
    rest
}

/// The character that an escape stands for, given what is between `&` and `;`.
fn decode(escape: &str) -> Option<char> {
    Some(match escape {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => numbered(escape.strip_prefix('#')?)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_input_gives_a_text_that_is_no_longer(html: String) {
            prop_assert!(text(&html).len() <= html.len());
        }

        #[test]
        fn pieces_of_html_give_a_text_that_is_no_longer(
            pieces in prop::collection::vec("[<>&;\"'/!#x1-3a-c -]|<p>|<br/>|&amp;|&#x1F600;|<!--|-->|é", 0..60)
        ) {
            let html = pieces.concat();
            prop_assert!(text(&html).len() <= html.len(), "{html}");
        }

        #[test]
        fn text_without_marks_is_itself(plain in "[^<>&\n]*") {
            prop_assert_eq!(text(&plain), plain);
        }
    }

    #[test]
    fn what_a_reader_sees() {
        let link =
            r#"<p>hi <a href="https://m.s/tags/rust" class="mention hashtag">#<span>Rust</span></a></p>"#;
        let url = r#"<span class="invisible">https://</span><span class="ellipsis">a.b/c</span>"#;
        for (html, expected) in [
            (link, "hi #Rust"),
            (url, "https://a.b/c"),
            ("<p>a</p><p>b<br>c<br />d</p>", "a\nb\nc\nd"),
            ("a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#x27; f&nbsp;g", "a & b <c> \"d\" 'e' f\u{a0}g"),
            ("AT&T &copy; &#xd800; &#99999999999; &;", "AT&T &copy; &#xd800; &#99999999999; &;"),
            ("&#+65; &#x+41; &#0; &#-1;", "&#+65; &#x+41; &#0; &#-1;"),
            ("1 < 2 <3 a<", "1 < 2 <3 a<"),
            ("a<img alt=\"x>y\" src='>'>b<!-- <p> -->c", "abc"),
            ("a<b unclosed", "a"),
            ("a<!-- unclosed", "a"),
            ("&amp;lt;p&amp;gt;", "&lt;p&gt;"),
            ("", ""),
        ] {
            assert_eq!(text(html), expected, "{html}");
        }
    }

    #[test]
    fn the_work_is_linear() {
        for unit in ["<", "<a", "&", "&#", "<!--", "<a \"", "<p>"] {
            text(&unit.repeat(1 << 19));
        }
    }
}
