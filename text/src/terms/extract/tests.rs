use proptest::prelude::*;

use super::*;

type Row = (Kind, String, String);

fn row((kind, key, spelling): (Kind, &[u8], &[u8])) -> Row {
    let text = |term: &[u8]| String::from_utf8(term.to_vec()).expect("terms are UTF-8");
    (kind, text(key), text(spelling))
}

fn terms(kinds: &[Kind], input: &Input<'_>) -> Vec<Row> {
    let mut extractor = Extractor::new(kinds);
    extractor.extract(input).expect("the text is short").map(row).collect()
}

fn keys(kind: Kind, text: &str) -> Vec<String> {
    terms(&[kind], &Input { text, ..Input::default() }).into_iter().map(|(_, key, _)| key).collect()
}

/// Signs, joiners, marks, bidirectional controls and letters of many scripts, in any mixture.
fn wild() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[#＃@＠$&;:./?()_' \u{200d}\u{200c}\u{fe0e}\u{fe0f}\u{20e3}\u{301}\u{202a}\u{2069}\u{feff}a1éк日カกျ한👍🏽🇩]*",
        "([#@$]?([a-z]{1,4}|日本|สวัสดี|https?://)[./#@:;&() ]?)*",
        "([#@$]?([a-zA1]{1,4}|é|🔥|\u{301}|https?://t\\.co/a|b\\.com/c)[ ./]?(&(amp|lt|gt|quot|apos|#38|#39|#x41);?)?)*",
    ]
}

/// Some kinds.
fn some() -> impl Strategy<Value = Vec<Kind>> {
    prop::sample::subsequence(Kind::ALL.to_vec(), 0..=Kind::ALL.len())
}

proptest! {
    #[test]
    fn any_text_gives_terms_that_keep_the_promises(
        text in wild(),
        html: bool,
        own in prop::option::of(prop::collection::vec("(caf[eé]|[A-Z]{1,3})?".prop_map(Cow::Owned), 0..3)),
        kinds in prop_oneof![Just(Kind::ALL.to_vec()), some()],
    ) {
        let mut extractor = Extractor::new(&kinds);
        let input = Input { text: &text, html, hashtags: own.as_deref() };
        let terms = extractor.extract(&input).expect("the text is short");
        prop_assert_eq!(terms.len(), terms.clone().count());
        for kind in Kind::ALL {
            let words = terms.words().filter(|_| kind == Kind::Words).map(|key| (key.bytes(), key.bytes()));
            let by_kind: Vec<_> = terms.of(kind).map(|(key, spelling)| (key.bytes(), spelling)).chain(words).collect();
            let among_others = terms.clone().filter(|term| term.0 == kind).map(|term| (term.1, term.2));
            prop_assert_eq!(by_kind, among_others.collect::<Vec<_>>());
        }
        for (kind, key, spelling) in terms.map(row) {
            prop_assert!(!key.is_empty() && !spelling.is_empty() && key.len() <= MAX_KEY);
            // A mark behind white space of another kind makes a word with white space in it, by UAX #29.
            if kind != Kind::Phrases || key.chars().filter(|c| c.is_whitespace()).count() == 1 {
                prop_assert_eq!(crate::terms::fold::key(kind, &spelling), key);
            }
        }
    }

    #[test]
    fn what_came_before_leaves_no_trace(texts in prop::collection::vec(wild(), 1..6), html: bool, kinds in some()) {
        let mut used = Extractor::new(&kinds);
        for text in &texts {
            let input = Input { text, html, hashtags: None };
            let again: Vec<Row> = used.extract(&input).expect("the text is short").map(row).collect();
            prop_assert_eq!(again, terms(&kinds, &input));
        }
    }

    #[test]
    fn each_kind_is_the_same_alone_and_among_others(text in wild(), html: bool, kinds in some()) {
        let input = Input { text: &text, html, hashtags: None };
        let (all, of_some) = (terms(&Kind::ALL, &input), terms(&kinds, &input));
        for kind in Kind::ALL {
            let of_kind = |rows: &[Row]| rows.iter().filter(|row| row.0 == kind).cloned().collect::<Vec<_>>();
            prop_assert_eq!(terms(&[kind], &input), of_kind(&all));
            prop_assert_eq!(of_kind(&of_some), if kinds.contains(&kind) { of_kind(&all) } else { vec![] });
        }
    }

    #[test]
    fn escaping_a_plain_text_changes_no_word(text in "[a-z<>\"' \u{e9}日]*") {
        let escaped = text.replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;");
        prop_assert_eq!(
            terms(&[Kind::Words], &Input { text: &escaped, html: true, hashtags: None }),
            terms(&[Kind::Words], &Input { text: &text, html: false, hashtags: None })
        );
    }
}

#[test]
fn every_kind_is_found_in_one_text() {
    let text = "Good morning @Ada &amp; all! 👍🏽 $ABC at https://Example.COM/x?y #Rust is #fun";
    let row = |kind, key: &str, spelling: &str| (kind, key.to_owned(), spelling.to_owned());
    let mut found = terms(&Kind::ALL, &Input { text, html: true, hashtags: None });
    found.sort_by_key(|row| row.0);
    assert_eq!(
        found,
        [
            row(Kind::Words, "good", "good"),
            row(Kind::Words, "morning", "morning"),
            row(Kind::Words, "all", "all"),
            row(Kind::Words, "at", "at"),
            row(Kind::Words, "is", "is"),
            row(Kind::Hashtags, "rust", "Rust"),
            row(Kind::Hashtags, "fun", "fun"),
            row(Kind::Mentions, "ada", "Ada"),
            row(Kind::Cashtags, "abc", "ABC"),
            row(Kind::Emoji, "👍🏽", "👍🏽"),
            row(Kind::Domains, "example.com", "Example.COM"),
            row(Kind::Phrases, "good morning", "good morning"),
        ]
    );
}

#[test]
fn a_list_of_its_own_replaces_the_hashtags_of_the_text_but_not_its_words() {
    let own = [Cow::Borrowed("Named"), Cow::Borrowed(""), Cow::Borrowed("named")];
    let kinds = [Kind::Hashtags, Kind::Words];
    let text = "a #written tag";
    let found = terms(&kinds, &Input { text, html: false, hashtags: Some(&own) });
    let found: Vec<(Kind, &str, &str)> =
        found.iter().map(|(kind, key, name)| (*kind, &**key, &**name)).collect();
    assert_eq!(
        found,
        [
            (Kind::Hashtags, "named", "Named"),
            (Kind::Hashtags, "named", "named"),
            (Kind::Words, "a", "a"),
            (Kind::Words, "tag", "tag"),
        ]
    );
    assert!(terms(&[Kind::Hashtags], &Input { text, html: false, hashtags: Some(&[]) }).is_empty());
}

#[test]
fn escapes_are_undone_after_the_signs_were_read() {
    let found = terms(
        &[Kind::Words, Kind::Hashtags],
        &Input { text: "it&#39;s &lt;b&gt; &#35;no&amp;#yes", html: true, hashtags: None },
    );
    let mut found: Vec<(Kind, &str)> = found.iter().map(|(kind, key, _)| (*kind, &**key)).collect();
    found.sort_by_key(|term| term.0);
    assert_eq!(
        found,
        [(Kind::Words, "it's"), (Kind::Words, "b"), (Kind::Words, "no"), (Kind::Hashtags, "yes")]
    );
}

#[test]
fn phrases_do_not_cross_entities() {
    assert_eq!(keys(Kind::Phrases, "One two. THREE #tag four five"), ["one two", "two three", "four five"]);
}

#[test]
fn a_list_is_cut_out_but_mentions_nobody() {
    assert_eq!(keys(Kind::Mentions, "@ada/friends and @Bob"), ["bob"]);
    assert_eq!(keys(Kind::Words, "@ada/friends and @Bob"), ["and"]);
}

#[test]
fn the_domain_is_the_host_as_written_and_folded() {
    let text =
        "http://WWW.Example.com:80/a t.co?x=1 https://ELPAÍS.com#a http://foobar.みんな/ a.sg/http://b.de";
    assert_eq!(keys(Kind::Domains, text), ["www.example.com", "t.co", "elpaís.com", "foobar.みんな", "a.sg"]);
}

#[test]
fn a_term_that_is_too_long_is_reported_and_not_given() {
    let limit = "a".repeat(MAX_KEY);
    let grows = "ΐ".repeat(MAX_KEY / 6 + 1);
    let text = format!("{limit} {limit}b {grows} {} ok", "e\u{301}".repeat(MAX_KEY * 64));
    let mut extractor = Extractor::new(&[Kind::Words]);
    let terms = extractor.extract(&Input { text: &text, ..Input::default() }).expect("there are few terms");
    assert_eq!(terms.too_long, 2);
    assert_eq!(terms.map(|(_, key, _)| key.len()).collect::<Vec<_>>(), [MAX_KEY, grows.len(), 2]);
}

#[test]
fn a_phrase_with_a_word_that_is_too_long_is_too_long_itself() {
    let text = format!("a {} b c", "d".repeat(MAX_KEY + 1));
    let mut extractor = Extractor::new(&[Kind::Phrases]);
    let terms = extractor.extract(&Input { text: &text, ..Input::default() }).expect("there are few terms");
    assert_eq!(terms.too_long, 2);
    assert_eq!(terms.map(|(_, key, _)| key).collect::<Vec<_>>(), [b"b c"]);
}

#[test]
fn a_post_may_have_so_many_terms_and_no_more() {
    let mut extractor = Extractor::new(&[Kind::Words, Kind::Hashtags]);
    let most = "#a b ".repeat(MAX_TERMS / 2);
    let input = Input { text: &most, ..Input::default() };
    assert_eq!(extractor.extract(&input).map(|terms| terms.len()), Ok(MAX_TERMS));
    let one_more = most.clone() + "c";
    let input = Input { text: &one_more, ..Input::default() };
    assert_eq!(extractor.extract(&input).map(|terms| terms.len()), Err(TooManyTerms));
    let own = vec![Cow::Borrowed("a"); MAX_TERMS + 1];
    let input = Input { hashtags: Some(&own), ..Input::default() };
    assert_eq!(extractor.extract(&input).map(|terms| terms.len()), Err(TooManyTerms));
    assert_eq!(extractor.extract(&Input::default()).map(|terms| terms.len()), Ok(0));
}

/// A text of 256 KiB of the same few characters must not take longer than any other: a quadratic way would take minutes.
#[test]
fn no_text_takes_more_than_linear_time() {
    let tag = format!("#{} ", "\u{301}\u{316}".repeat(4000));
    let fragments = [
        "#a ",
        "#",
        "@",
        "@a ",
        "$A ",
        "a.",
        ".",
        "-.",
        "a.com ",
        "a.com_.",
        "x_y.com.",
        "x_y.",
        "a.comあ",
        "あ.",
        "é.みんな",
        ".vermö",
        "xn--a.",
        "http://",
        "http://a.com/(a",
        "/((a",
        "http://a.com?a",
        "http://日本語.com/",
        "ก",
        "日本",
        "カ",
        "မ",
        "ខ",
        "ລ",
        "e\u{301}",
        "\u{301}\u{316}",
        "\u{345}",
        "a'\u{301}",
        "1,\u{ad}",
        "\u{200d}",
        "👍",
        "👨\u{200d}",
        "🇩",
        "\u{600}",
        "&",
        "&#x41;",
        "&amp;",
        "ᄀ",
        "\u{2003} ",
        "é  ",
        "İ",
        &tag,
    ];
    for fragment in fragments {
        let text = fragment.repeat(256 * 1024 / fragment.len());
        let start = std::time::Instant::now();
        for kind in Kind::ALL {
            let _: Result<usize, TooManyTerms> = Extractor::new(&[kind])
                .extract(&Input { text: &text, html: true, hashtags: None })
                .map(|terms| terms.len());
        }
        assert!(start.elapsed().as_secs() < 20, "{fragment:?} took {:?}", start.elapsed());
    }
}
