//! Rules from lists of terms, accounts and places.
//!
//! Idea: the old streaming API, and so the connector that stood here before, took lists: posts with one of the terms, or of
//! one of the accounts, or from one of the places; all of it in one of the languages. Rules say the same: alternatives
//! joined by `OR`, languages as a group beside them. Where they do not fit into one rule they become several.
//! Invariant: no rule is longer than the access allows; a post matches one of the rules exactly if the lists say so.
//! Source: the X API's "Build a rule" and its list of operators; of the old API its "track" and "locations".

/// How long a rule may be with the usual access, in characters.
pub const LONGEST: usize = 1024;

/// What posts are wanted.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// One of these: words of which all must be there, in any order; hashtags, cashtags and mentions with their sign.
    pub track: Vec<String>,
    /// Or by one of these accounts: names or numbers.
    pub follow: Vec<String>,
    /// Or from one of these boxes.
    pub locations: Vec<String>,
    /// In one of these languages; empty: any.
    pub languages: Vec<String>,
    /// Or these rules, in X's own words.
    pub rules: Vec<String>,
}

impl Terms {
    /// The rules; none where nothing is named but languages.
    ///
    /// # Errors
    /// Where an item makes no rule, or one that is too long.
    pub fn rules(&self, longest: usize) -> Result<Vec<String>, String> {
        let mut items = Vec::new();
        for phrase in &self.track {
            items.push(term(phrase)?);
        }
        for account in &self.follow {
            let name = account.trim().trim_start_matches('@');
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(format!("--follow {account:?} is no account: a name or a number"));
            }
            items.push(format!("from:{name}"));
        }
        for place in &self.locations {
            items.push(bounding_box(place)?);
        }
        let suffix = self.suffix();
        let mut rules = packed(&items, &suffix, longest)?;
        for own in &self.rules {
            let rule = match (own.trim(), suffix.as_str()) {
                (own, "") => own.to_owned(),
                // In what follows an `OR` it would be a condition of the last alternative only.
                (own, suffix) => format!("({own}){suffix}"),
            };
            if own.trim().is_empty() || rule.chars().count() > longest {
                return Err(format!(
                    "--rule {own:?}: a rule has 1 to {longest} characters, languages included"
                ));
            }
            rules.push(rule);
        }
        rules.dedup();
        Ok(rules)
    }

    /// What stands behind the alternatives.
    fn suffix(&self) -> String {
        let languages: Vec<String> =
            self.languages.iter().map(|language| format!("lang:{language}")).collect();
        match languages.as_slice() {
            [] => String::new(),
            [one] => format!(" {one}"),
            many => format!(" ({})", many.join(" OR ")),
        }
    }
}

/// One term: words that must all be there.
fn term(phrase: &str) -> Result<String, String> {
    let words: Vec<String> = phrase
        .split_whitespace()
        .map(|word| {
            let bare = word.trim_start_matches(['#', '@', '$']);
            let plain = !bare.is_empty() && bare.chars().all(|one| one.is_alphanumeric() || one == '_');
            // Anything else would be an operator; in quotes it is text.
            let operator = ["OR", "AND", "NOT"].contains(&word);
            if plain && !operator {
                word.to_owned()
            } else {
                format!("\"{}\"", word.replace(['"', '\\'], ""))
            }
        })
        .filter(|word| word != "\"\"")
        .collect();
    match words.as_slice() {
        [] => Err(format!("--track {phrase:?} has no word in it")),
        [one] => Ok(one.clone()),
        many => Ok(format!("({})", many.join(" "))),
    }
}

/// A box by its south-west and north-east corners, as the old API had it: `west,south,east,north` in degrees.
fn bounding_box(place: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "--locations {place:?} is no box: write west,south,east,north in degrees, as in -74,40,-73,41"
        )
    };
    let degrees: Vec<f64> =
        place.split([',', ' ']).filter(|part| !part.is_empty()).map_while(|part| part.parse().ok()).collect();
    let [west, south, east, north] = degrees[..] else { return Err(wrong()) };
    let on_earth = west.abs() <= 180.0 && east.abs() <= 180.0 && south.abs() <= 90.0 && north.abs() <= 90.0;
    if !on_earth || west >= east || south >= north {
        return Err(wrong());
    }
    Ok(format!("bounding_box:[{west} {south} {east} {north}]"))
}

/// As few rules as hold all items, each with the suffix.
fn packed(items: &[String], suffix: &str, longest: usize) -> Result<Vec<String>, String> {
    let whole = |items: &[&str]| match (items, suffix) {
        ([one], _) => format!("{one}{suffix}"),
        (many, "") => many.join(" OR "),
        (many, _) => format!("({}){suffix}", many.join(" OR ")),
    };
    let (mut rules, mut some) = (Vec::new(), Vec::new());
    for item in items {
        some.push(item.as_str());
        if whole(&some).chars().count() > longest {
            some.pop();
            if some.is_empty() || whole(&[item.as_str()]).chars().count() > longest {
                return Err(format!("{item:?} does not fit into a rule of {longest} characters"));
            }
            rules.push(whole(&some));
            some = vec![item.as_str()];
        }
    }
    if !some.is_empty() {
        rules.push(whole(&some));
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn lists_become_alternatives_and_languages_a_condition() {
        let terms = Terms {
            track: words(&["rust", "big data", "#kafka", "a-b OR"]),
            follow: words(&["@jack", "12"]),
            locations: words(&["-74,40,-73,41"]),
            languages: words(&["en", "de"]),
            rules: words(&["cat has:images OR dog"]),
        };
        assert_eq!(
            terms.rules(LONGEST).unwrap(),
            [
                "(rust OR (big data) OR #kafka OR (\"a-b\" \"OR\") OR from:jack OR from:12 OR \
                 bounding_box:[-74 40 -73 41]) (lang:en OR lang:de)",
                "(cat has:images OR dog) (lang:en OR lang:de)"
            ]
        );
        let one = Terms { track: words(&["rust"]), languages: words(&["en"]), ..Terms::default() };
        assert_eq!(one.rules(LONGEST).unwrap(), ["rust lang:en"]);
        let own = Terms { rules: words(&[" cat has:images "]), ..Terms::default() };
        assert_eq!(own.rules(LONGEST).unwrap(), ["cat has:images"]);
        assert_eq!(Terms::default().rules(LONGEST).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_makes_no_rule_is_named() {
        let of = |change: fn(&mut Terms)| {
            let mut terms = Terms::default();
            change(&mut terms);
            terms.rules(20).expect_err("no rule")
        };
        assert!(of(|terms| terms.track = words(&["\"\""])).contains("--track"));
        assert!(of(|terms| terms.follow = words(&["a b"])).contains("--follow"));
        assert!(of(|terms| terms.locations = words(&["1,2,3"])).contains("west,south,east,north"));
        assert!(of(|terms| terms.locations = words(&["1,2,0,3"])).contains("--locations"));
        assert!(of(|terms| terms.rules = words(&["012345678901234567890"])).contains("20 characters"));
        let with_language = |terms: &mut Terms| {
            (terms.rules, terms.languages) = (words(&["0123456789a"]), words(&["en"]));
        };
        assert!(of(with_language).contains("--rule"), "with its language it is too long");
        assert!(of(|terms| terms.track = words(&["a", "012345678901234567890"])).contains("20 characters"));
    }

    proptest! {
        #[test]
        fn every_item_is_in_exactly_one_rule_that_is_not_too_long(lengths in prop::collection::vec(1_usize..20, 1..60)) {
            let items: Vec<String> =
                lengths.iter().enumerate().map(|(number, length)| format!("w{number}{}", "x".repeat(*length))).collect();
            let rules = packed(&items, " lang:en", 60).unwrap();
            prop_assert!(rules.iter().all(|rule| rule.len() <= 60 && rule.ends_with(" lang:en")));
            let back: Vec<String> = rules
                .iter()
                .flat_map(|rule| {
                    rule.trim_end_matches(" lang:en").trim_matches(['(', ')']).split(" OR ").map(str::to_owned)
                })
                .collect();
            prop_assert_eq!(back, items);
        }
    }
}
