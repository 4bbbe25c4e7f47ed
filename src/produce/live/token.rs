//! The secret by which a source knows who asks.
//!
//! Idea: it comes from a file or from the environment, never from an argument, since arguments are shown to everybody
//! on the machine. Inside the program it has a type of its own that cannot be printed.
//! Invariant: it leaves the program in the one header that it is for. What a server says is searched for it before
//! anybody is told, as some servers repeat what they were sent.

use std::path::Path;

use hyper::header::HeaderValue;

/// Longer ones are taken for a mistake, such as a whole file of settings.
const LONGEST: usize = 4096;

/// A bearer token.
#[derive(Clone)]
pub struct Token(String);

/// There is no token, or none that could be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TokenError(String);

impl Token {
    /// The token in this file, else in this variable of the environment.
    ///
    /// # Errors
    /// Where neither is there, the file cannot be read, or what it holds is no token; the message never shows it.
    pub fn load(file: Option<&Path>, variable: &str) -> Result<Self, TokenError> {
        let (text, place) = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| TokenError(format!("--token-file {}: {error}", path.display())))?;
                (text, path.display().to_string())
            }
            None => match std::env::var(variable) {
                Ok(text) => (text, format!("the environment's {variable}")),
                Err(_) => {
                    let text = format!("a token is needed: name its file by --token-file, or set {variable}");
                    return Err(TokenError(text));
                }
            },
        };
        Self::checked(&text, &place)
    }

    fn checked(text: &str, place: &str) -> Result<Self, TokenError> {
        let token = text.trim();
        let wrong = if token.is_empty() {
            "is empty"
        } else if token.len() > LONGEST {
            "holds more than a token"
        } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            "must hold the token and nothing else: no spaces, no `Bearer`, one line"
        } else {
            return Ok(Self(token.to_owned()));
        };
        Err(TokenError(format!("{place} {wrong}")))
    }

    /// The value of the header `Authorization`, marked so that it is not logged.
    pub fn header(&self) -> HeaderValue {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0))
            .expect("a token was checked to be visible ASCII");
        value.set_sensitive(true);
        value
    }

    /// A text of somebody else's without the token in it.
    pub fn hide(&self, text: &str) -> String {
        text.replace(&self.0, "(the token)")
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_is_never_shown() {
        let token = Token::checked(" canary-1\n", "t").unwrap();
        assert_eq!(token.header().to_str().unwrap(), "Bearer canary-1");
        assert_eq!(format!("{token:?} {:?}", token.header()), "Token Sensitive");
        assert_eq!(token.hide("you sent canary-1!"), "you sent (the token)!");
        for wrong in ["", " \n", "Bearer canary", "a\nb", "canary\u{e9}", &"c".repeat(5000)] {
            let refused = Token::checked(wrong, "/run/t").expect_err("no token").to_string();
            assert!(refused.starts_with("/run/t ") && !refused.contains("canary"), "{refused}");
        }
    }

    #[test]
    fn without_a_token_both_places_are_named() {
        let refused = Token::load(None, "TIDINGS_NO_SUCH_TOKEN").expect_err("none").to_string();
        assert!(refused.contains("--token-file") && refused.contains("TIDINGS_NO_SUCH_TOKEN"), "{refused}");
        let refused = Token::load(Some(Path::new("/nowhere/token")), "X").expect_err("none").to_string();
        assert!(refused.contains("/nowhere/token"), "{refused}");
    }
}
