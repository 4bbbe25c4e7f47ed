//! The bearer token: who has it may ask.
//!
//! Idea: one secret in a file, compared with what the request carries (RFC 6750, section 2.1: in the header only, since
//! what stands in a URL ends up in logs).
//! Invariant: how long a comparison takes tells nothing but whether the length is right; the token is never printed.
//! Cost: a comparison of some dozen bytes a request.

use std::path::Path;

use subtle::ConstantTimeEq;

use super::AccessError;
use super::files;

/// The setting that names the file.
const SETTING: &str = "http.token_file";

/// Bytes of a token, at most; it must fit into the head of a request many times over.
const LONGEST: usize = 4096;

/// A token shorter than this could be guessed.
const SHORT: usize = 16;

/// The secret.
#[derive(PartialEq, Eq)]
pub struct Token(Box<str>);

impl Token {
    /// Reads it from its file, without the white space around it.
    ///
    /// # Errors
    /// Says why the file cannot be read or what it holds is no token.
    pub fn read(path: &Path) -> Result<Token, AccessError> {
        let wrong = |fault: &str| AccessError::new(SETTING, path, fault);
        // A line end or two are not part of it.
        let bytes = files::read(SETTING, path, LONGEST + 2)?;
        let token = bytes.trim_ascii();
        if token.is_empty() {
            return Err(wrong("is empty; write a token into it, such as `openssl rand -hex 32` prints"));
        }
        let text =
            std::str::from_utf8(token).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
        match text {
            Some(text) => Ok(Token(text.into())),
            None => Err(wrong("must hold one token of letters, digits and signs of ASCII, without spaces")),
        }
    }

    /// Whether it is so short that it could be guessed.
    pub fn is_short(&self) -> bool {
        self.0.len() < SHORT
    }

    /// Whether the value of an `Authorization` header carries it.
    pub fn is_in(&self, authorization: &[u8]) -> bool {
        bearer(authorization).is_some_and(|sent| bool::from(sent.ct_eq(self.0.as_bytes())))
    }
}

/// What stands behind the scheme, which is `Bearer` in any case of letters (RFC 9110, section 11.1).
fn bearer(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = authorization.split_at_checked("Bearer".len())?;
    let token = rest.strip_prefix(b" ")?;
    scheme.eq_ignore_ascii_case(b"Bearer").then(|| token.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(content: &[u8]) -> Result<Token, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, content).expect("it can be written");
        Token::read(&path).map_err(|error| error.to_string())
    }

    proptest! {
        #[test]
        fn a_token_is_in_its_own_header_only(token in "[!-~]{1,80}", other in "[!-~]{0,80}", space in "[ \n\r\t]{0,1}") {
            let read = read(format!("{space}{token}{space}").as_bytes()).expect("a token");
            let header = format!("bearer {token}");
            prop_assert!(read.is_in(header.as_bytes()));
            for wrong in [format!("Bearer {other}"), format!("{header}{token}"), header[..header.len() - 1].to_owned()] {
                prop_assert_eq!(read.is_in(wrong.as_bytes()), wrong.get(7..) == Some(token.as_str()), "{}", wrong);
            }
        }

        #[test]
        fn any_header_is_compared(authorization in prop::collection::vec(any::<u8>(), 0..20)) {
            prop_assert!(!Token("secret".into()).is_in(&authorization));
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for (content, part) in [
            (&b""[..], "is empty"),
            (b" \r\n\n", "is empty"),
            (b"two words", "without spaces"),
            (b"two\nlines", "without spaces"),
            ("t\u{f6}ken".as_bytes(), "ASCII"),
            (b"\xff\xfe", "ASCII"),
            (&[b'a'; 10_000], "more than"),
        ] {
            let error = read(content).err().unwrap_or_default();
            assert!(error.contains("`http.token_file`") && error.contains(part), "{error}");
        }
        assert!(read(b"short").is_ok_and(|token| token.is_short()));
        let error = Token::read(Path::new("/nowhere/token")).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("`http.token_file`: /nowhere/token: there is no such file"));
    }
}
