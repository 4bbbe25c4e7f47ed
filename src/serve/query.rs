//! The query of a request: known parameters, each at most once.
//!
//! Idea: a resource names its parameters; anything else is refused with the nearest of them, since a mistyped parameter
//! that is ignored gives an answer to another question.
//! Invariant: what is handed out is decoded, and was asked for once.
//! Cost: two allocations a parameter.

use std::ops::RangeInclusive;

use super::decode::decode_query;
use super::problem::{Kind, Problem, quoted};

/// The parameters of one request.
#[derive(Debug, Default)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads the part of a URL behind the question mark.
    pub fn parse(raw: &str, known: &[&'static str]) -> Result<Query, Problem> {
        let mut query = Query::default();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode_query(name)?;
            let Some(name) = known.iter().find(|known| **known == name) else {
                return Err(unknown(&name, known));
            };
            if query.get(name).is_some() {
                let detail = format!("`{name}` is given twice; give it once");
                return Err(Problem::new(Kind::BadParameter, detail).valid([format!("{name}, once")]));
            }
            query.0.push((name, decode_query(value)?));
        }
        Ok(query)
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that is a whole number.
    pub fn number(&self, name: &str, valid: RangeInclusive<u64>) -> Result<Option<u64>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && valid.contains(number));
        number.map(Some).ok_or_else(|| {
            let range = format!("a whole number from {} to {}", valid.start(), valid.end());
            Problem::new(Kind::BadParameter, format!("`{name}` is {}, but must be {range}", quoted(text)))
                .valid([range])
        })
    }
}

fn unknown(name: &str, known: &[&'static str]) -> Problem {
    let mut nearest = known.to_vec();
    let start = name.chars().take(64).collect::<String>().to_lowercase();
    let distance = |known: &&str| strsim::damerau_levenshtein(known, &start);
    nearest.sort_by_key(distance);
    let detail = match nearest.first() {
        Some(first) if 2 * distance(first) <= first.len().max(start.len()) => {
            format!("there is no parameter {} here; did you mean `{first}`?", quoted(name))
        }
        Some(_) => format!("there is no parameter {} here", quoted(name)),
        None => format!("there is no parameter {} here; this path takes none", quoted(name)),
    };
    Problem::new(Kind::UnknownParameter, detail).valid(nearest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KNOWN: &[&str] = &["window", "k", "wait_ms"];

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(raw in "[a-z&=%+0-9;?]*") {
            let _ = Query::parse(&raw, KNOWN);
        }

        #[test]
        fn numbers_are_those_in_the_range(text in "[0-9+ .e-]{0,24}") {
            let query = Query(vec![("k", text.clone())]);
            let expected = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
            let expected = expected.filter(|number| (1..=1000).contains(number));
            prop_assert_eq!(query.number("k", 1..=1000).ok().flatten(), expected);
        }
    }

    #[test]
    fn parameters_are_known_and_given_once() {
        let query = Query::parse("&window=5m%2F5s&&k=3&", KNOWN).expect("all are known");
        assert_eq!(
            (query.get("window"), query.get("k"), query.get("wait_ms")),
            (Some("5m/5s"), Some("3"), None)
        );
        let said = |raw| {
            Query::parse(raw, KNOWN)
                .err()
                .map(|problem| String::from_utf8_lossy(&problem.json()).into_owned())
        };
        assert!(said("windw=5m").is_some_and(|said| said.contains("did you mean `window`")));
        for near in ["K=1", "kk=1"] {
            assert!(said(near).is_some_and(|said| said.contains("did you mean `k`")), "{near}");
        }
        assert!(said("x=1").is_some_and(|said| !said.contains("did you mean") && said.contains("wait_ms")));
        for wrong in ["k=1&k=1", "k&k", "windw=5m", "K=1", "=", "k=%zz", "%ff=1"] {
            assert!(Query::parse(wrong, KNOWN).is_err(), "{wrong}");
        }
    }
}
