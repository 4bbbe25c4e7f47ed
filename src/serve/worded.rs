//! Words for what hyper refuses by itself, before anybody here has seen a request.
//!
//! Idea: whatever cannot be read as the head of a request, hyper answers with a status and nothing else, in one piece and of a form
//! that no answer of ours has: a mistake of the client's without a body. So the stream that it writes to says the same in words, as
//! all other problems are said.
//! Invariant: every other byte goes through as it is. Where such an answer stands behind another one that had not been written yet,
//! it stays as hyper made it.
//! Cost: a look at the first bytes of what is written.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::PROBLEM;
use super::connection::HEAD;
use super::problem::{Kind, Problem};

/// How hyper says that there is no body.
const BODILESS: &str = "content-length: 0\r\n";

/// A stream on which problems have words.
pub struct Worded<S> {
    stream: S,
    /// What is written in place of what hyper wrote, and how much of it has been.
    instead: Option<(Vec<u8>, usize)>,
}

impl<S> Worded<S> {
    /// Over a stream.
    pub fn new(stream: S) -> Worded<S> {
        Worded { stream, instead: None }
    }

    /// Whether these bytes have to make way for others, which are then to be written by [`Worded::poll_instead`].
    fn makes_way(&mut self, bytes: &[u8]) -> bool {
        if self.instead.is_none() {
            self.instead = words_for(bytes).map(|words| (words, 0));
        }
        self.instead.is_some()
    }
}

impl<S: AsyncWrite + Unpin> Worded<S> {
    /// Writes what stands in place of so many bytes.
    fn poll_instead(&mut self, context: &mut Context<'_>, bytes: usize) -> Poll<io::Result<usize>> {
        while let Some((words, written)) = &mut self.instead {
            let more = ready!(Pin::new(&mut self.stream).poll_write(context, &words[*written..]))?;
            *written += more;
            if *written == words.len() {
                self.instead = None;
            } else if more == 0 {
                return Poll::Ready(Ok(0));
            }
        }
        Poll::Ready(Ok(bytes))
    }
}

/// What to say in place of these bytes, where hyper alone has made them.
fn words_for(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"HTTP/1.1 4") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok().filter(|head| head.ends_with("\r\n\r\n"))?;
    if !head.contains(BODILESS) || head.contains("content-type: ") {
        return None;
    }
    let problem = match head.get(9..12)? {
        "400" => {
            let detail = "what was sent is no request of HTTP/1.1";
            Problem::new(Kind::BadRequest, detail).valid(["GET /v1/status HTTP/1.1"])
        }
        "414" | "431" => {
            let detail =
                format!("the head of a request, its path included, has {HEAD} bytes and 100 headers at most");
            Problem::new(Kind::HeadTooLarge, detail)
                .valid(["many terms in the body of POST /v1/counts/{count}/terms"])
        }
        _ => return None,
    };
    let body = problem.json();
    let headers = format!(
        "content-type: {PROBLEM}\r\ncontent-length: {}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n",
        body.len()
    );
    Some([head.replacen(BODILESS, &headers, 1).as_bytes(), &body].concat())
}

impl<S: AsyncRead + Unpin> AsyncRead for Worded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Worded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.makes_way(bytes) {
            return self.poll_instead(context, bytes.len());
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = parts.first().map_or(&[][..], |part| part);
        if self.makes_way(first) {
            return self.poll_instead(context, first.len());
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const BARE: &str = "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";

    /// However little the other side takes at a time.
    #[tokio::test]
    async fn what_is_bare_comes_in_words_and_all_else_as_it_is() {
        let own = "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        let head = "HTTP/1.1 405 Method Not Allowed\r\ncontent-type: a\r\ncontent-length: 0\r\n\r\n";
        let (ours, mut theirs) = duplex(7);
        let writes = async move {
            let mut stream = Worded::new(ours);
            for part in [own, head, "HTTP/1.1 4 is how a body may begin", BARE] {
                stream.write_all(part.as_bytes()).await.expect("somebody reads");
            }
        };
        let mut read = String::new();
        let (_, size) = tokio::join!(writes, theirs.read_to_string(&mut read));
        assert_eq!(size.expect("text"), read.len());
        let kept = [own, head, "HTTP/1.1 4 is how a body may begin"].concat();
        let words = read.strip_prefix(&kept).expect("what is ours");
        let (head, body) = words.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 431 ") && head.contains(PROBLEM), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        let problem: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(
            (problem["type"].as_str(), problem["status"].as_u64()),
            (Some("/problems/head_too_large"), Some(431))
        );
    }
}
