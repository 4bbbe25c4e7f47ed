use proptest::prelude::*;

use super::super::tests::of_kind;
use super::*;

fn urls(text: &str) -> Vec<&str> {
    of_kind(EntityKind::Url, text)
}

#[test]
fn a_scheme_may_stand_behind_anything_but_a_letter_a_digit_or_a_sign() {
    assert_eq!(
        urls("(http://a.com のhttps://b.de/x xhttp://c.com @http://d.com HTTP://E.COM"),
        ["http://a.com", "https://b.de/x", "HTTP://E.COM"]
    );
}

#[test]
fn without_a_scheme_only_the_latin_parts_count() {
    assert_eq!(
        urls("twitter.comこれは。example.com中国語t.co/a日本.com"),
        ["twitter.com", "example.com", "t.co/a"]
    );
    assert_eq!(urls("a_b.example.com/x"), ["b.example.com/x"]);
    assert_eq!(urls("-a.com _a.com /a.com .a.com $a.com #a.com @a.com"), [""; 0]);
}

#[test]
fn a_path_is_needed_to_have_a_query_without_a_scheme() {
    assert_eq!(
        urls("a.com?x=1 a.com/?x=1 a.com:80 a.com:80/y"),
        ["a.com", "a.com/?x=1", "a.com", "a.com:80/y"]
    );
}

#[test]
fn what_was_refused_is_used_up() {
    assert_eq!(urls("http://-a.example.com/http://b.com"), [""; 0]);
    assert_eq!(urls("a.com_.a.com_.b.com"), ["a.com"]);
}

#[test]
fn labels_and_urls_have_their_limits() {
    let label = "a".repeat(63);
    assert_eq!(urls(&format!("http://{label}.com http://{label}a.com")), [format!("http://{label}.com")]);
    let longest = format!("http://a.com/{}", "x".repeat(MAX_URL - 7 - 13));
    assert_eq!(urls(&longest), [&longest]);
    assert_eq!(urls(&format!("{longest}x")), [""; 0]);
}

#[test]
fn links_of_the_shortener_have_letters_and_digits_only() {
    assert_eq!(
        urls("https://t.co/aB1-x http://t.co/a?b=c. http://t.co/"),
        ["https://t.co/aB1", "http://t.co/a?b=c", "http://t.co/"]
    );
    assert_eq!(urls(&format!("http://t.co/{}", "a".repeat(41))), [""; 0]);
}

/// All URLs, each found step by step.
fn by_steps(text: &str) -> Vec<Entity> {
    let (mut scanner, mut found) = (Scanner::new(text), Vec::new());
    for (dot, _) in text.match_indices('.') {
        if dot >= scanner.from && text[dot + 1..].starts_with(is_label_char) {
            scanner.from = scanner.row_around(dot, &mut found);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn plain_links_are_what_they_would_be_step_by_step(
        text in "([ @a-z1é.(\"\n]{0,2}(https?|HTTPS)?(://)?t?\\.co/?[a-zA-Z0-9]{0,42}[ \n\")<>(?&=/.,:;#@é日…-]{0,3}){1,4}",
    ) {
        let (mut scanner, mut found) = (Scanner::new(&text), Vec::new());
        text.match_indices('.').for_each(|(dot, _)| scanner.dot(dot, &mut found));
        prop_assert_eq!(found, by_steps(&text), "{}", text);
    }
}
