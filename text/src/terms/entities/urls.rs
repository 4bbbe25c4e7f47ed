//! URLs, with a scheme (`http`, `https`) or without.
//!
//! Idea: no URL without a dot, so from each dot go back to the beginning of the row of labels around it, and find
//! the first place in the row where a host begins. With a scheme in front a host may be in any script; without one only
//! the parts of it in Latin letters count, each for itself, since other scripts are written without spaces around.
//! Invariant: what a match has used up, even one that was refused, can not be the beginning of the next, as with a
//! regular expression that goes on behind its last match. A full stop without a space behind it makes a URL wherever
//! the next word is a top-level domain (`it.so`); that is the rule of the reference. In one place this is stricter than the
//! reference: it loses an accented letter with which both the text and a host without a scheme begin.
//! Cost: linear in the rows of labels around dots.

use super::classes::{blocks_url, is_domain_char, is_label_char, is_latin_accent, row_start};
use super::hosts::{Row, label};
use super::punycode::{MAX_LABEL, label_fits};
use super::tlds::top_level_domain;
use super::url_tail::{Tail, query, tail};
use super::{Entity, EntityKind};

/// A URL that is longer, in UTF-16 units and with its scheme counted once more, is none.
const MAX_URL: usize = 4096;
const DEFAULT_SCHEME: usize = "https://".len();

/// The service whose links stand in most texts; they have a path of letters and digits only.
const SHORTENER: &str = "t.co/";
const MAX_SLUG: usize = 40;

/// Takes the dots of a text, in order.
pub(super) struct Scanner<'t> {
    text: &'t str,
    /// Where the last URL, or what was refused as one, ended.
    taken: usize,
    /// Where the dots end that have been looked at.
    from: usize,
    row: Row,
}

/// A host in the text.
#[derive(Clone, Copy)]
struct Host {
    start: usize,
    end: usize,
}

impl<'t> Scanner<'t> {
    /// A scanner at the beginning of a text.
    pub(super) fn new(text: &'t str) -> Self {
        Scanner { text, taken: 0, from: 0, row: Row::default() }
    }

    /// Looks at a dot; appends the URLs to `found` that it belongs to, if it is the first one in them.
    pub(super) fn dot(&mut self, dot: usize, found: &mut Vec<Entity>) {
        if dot >= self.from && self.text[dot + 1..].starts_with(is_label_char) {
            self.from = match self.plain_link(dot) {
                Some(link) => {
                    self.taken = link.end;
                    found.push(link);
                    link.end
                }
                None => self.row_around(dot, found),
            };
        }
    }

    /// Takes the first URL of the row of labels around a dot; gives where to go on.
    fn row_around(&mut self, dot: usize, found: &mut Vec<Entity>) -> usize {
        let start = row_start(self.text, self.taken, dot);
        if let Some(scheme) = self.scheme_before(start)
            && let Some(end) = self.row.host_end(self.text, start)
        {
            let host = Host { start, end };
            let tail = tail(self.text, end);
            self.taken = tail.end;
            self.with_scheme(scheme, host, tail, found);
            return tail.end;
        }
        match self.first_host(start) {
            Ok(host) => {
                let tail = tail(self.text, host.end);
                self.taken = tail.end;
                self.without_scheme(host, tail, found);
                tail.end
            }
            Err(end) => end,
        }
    }

    /// A link of the shortener as it writes them itself, with nothing behind it that could belong to a URL; what else
    /// would be found out of it step by step.
    fn plain_link(&self, dot: usize) -> Option<Entity> {
        const BEFORE: &[u8] = b"https://t";
        const BEHIND: &[u8] = b".co/";
        let start = dot.checked_sub(BEFORE.len()).filter(|&start| start >= self.taken)?;
        let slug = dot + BEHIND.len();
        let bytes = self.text.as_bytes();
        if bytes.get(start..dot) != Some(BEFORE)
            || bytes.get(dot..slug) != Some(BEHIND)
            || !self.may_begin(start)
        {
            return None;
        }
        let length =
            bytes[slug..].iter().take(MAX_SLUG + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let end = slug + length;
        let is_free = bytes.get(end).is_none_or(|byte| matches!(byte, b' ' | b'\n' | b'"' | b'<' | b')'));
        ((1..=MAX_SLUG).contains(&length) && is_free).then_some(Entity { kind: EntityKind::Url, start, end })
    }

    /// Where the scheme begins that ends at `host`, if there is one and a URL may begin there.
    fn scheme_before(&self, host: usize) -> Option<usize> {
        let before = self.text[self.taken..host].strip_suffix("://")?;
        let scheme = ["https", "http"].into_iter().find(|scheme| {
            let start = before.len().checked_sub(scheme.len());
            start.and_then(|start| before.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(scheme))
        })?;
        let start = self.taken + before.len() - scheme.len();
        self.may_begin(start).then_some(start)
    }

    fn may_begin(&self, at: usize) -> bool {
        at == 0 || self.text[self.taken..at].chars().next_back().is_some_and(|before| !blocks_url(before))
    }

    /// The first host without a scheme in the row of labels that begins at `start`, or where the row ends.
    fn first_host(&mut self, start: usize) -> Result<Host, usize> {
        let mut at = start;
        loop {
            let label = label(self.text, at);
            let Some(next) = label.next else { return Err(at + label.text.len()) };
            if label.text.ends_with(is_domain_char) {
                let longer = self.row.host_end(self.text, next);
                let end = longer.or_else(|| top_level_domain(&self.text[next..]).map(|length| next + length));
                // The label in front of the top-level domain must have no `_`.
                let skipped =
                    if longer.is_some() { 0 } else { label.text.rfind('_').map_or(0, |last| last + 1) };
                let first = label.text[skipped..]
                    .char_indices()
                    .map(|(offset, c)| (at + skipped + offset, c))
                    .find(|&(place, c)| is_domain_char(c) && self.may_begin(place));
                if let (Some(end), Some((start, _))) = (end, first) {
                    return Ok(Host { start, end });
                }
            }
            at = next;
        }
    }

    fn with_scheme(&self, start: usize, host: Host, tail: Tail, found: &mut Vec<Entity>) {
        let mut end = tail.end;
        if !is_valid(self.text, start, host, end, host.start - start) {
            return;
        }
        let behind_scheme = &self.text[host.start..end];
        if let Some(path) = behind_scheme.get(SHORTENER.len()..)
            && behind_scheme[..SHORTENER.len()].eq_ignore_ascii_case(SHORTENER)
        {
            let slug = path.bytes().take_while(u8::is_ascii_alphanumeric).count();
            if slug > MAX_SLUG {
                return;
            }
            if slug > 0 {
                end = host.start + SHORTENER.len() + slug;
                end += query(&path[slug..]);
            }
        }
        found.push(Entity { kind: EntityKind::Url, start, end });
    }

    fn without_scheme(&self, host: Host, tail: Tail, found: &mut Vec<Entity>) {
        let before = &self.text[..host.start];
        if before.ends_with(['-', '_', '.', '/'])
            || !is_valid(self.text, host.start, host, tail.end, DEFAULT_SCHEME)
        {
            return;
        }
        let first = found.len();
        latin_hosts(&self.text[..host.end], host.start, |part| {
            found.push(Entity { kind: EntityKind::Url, start: part.start, end: part.end });
        });
        if let Some(last) = found[first..].last_mut()
            && tail.has_path
        {
            last.end = tail.end;
        }
    }
}

fn is_valid(text: &str, start: usize, host: Host, end: usize, scheme: usize) -> bool {
    let name = &text[host.start..host.end];
    let mut latin = 0;
    if name.starts_with("xn--") {
        latin_hosts(name, 0, |_| latin += 1);
        if latin == 0 {
            return false;
        }
    }
    // Most are so short that nothing has to be counted.
    let fits = name.len() <= MAX_LABEL && name.is_ascii() || name.split('.').all(label_fits);
    let units = || text[start..end].chars().take(MAX_URL).map(char::len_utf16).sum::<usize>();
    fits && (scheme + (end - start) <= MAX_URL || scheme + units() <= MAX_URL)
}

/// Shows the parts of a host, which goes from `start` to the end of `text`, that are hosts in Latin letters.
fn latin_hosts(text: &str, start: usize, mut see: impl FnMut(Host)) {
    let is_latin = |c: char| c.is_ascii_alphanumeric() || c == '-' || is_latin_accent(c);
    let mut at = start;
    while let Some(step) = text[at..].find(is_latin) {
        let start = at + step;
        at = start;
        let mut end = None;
        loop {
            let rest = &text[at..];
            let label = rest.find(|c| !is_latin(c)).unwrap_or(rest.len());
            at += label;
            if label == 0 || !rest[label..].starts_with('.') {
                break;
            }
            at += 1;
            end = top_level_domain(&text[at..]).map(|length| at + length).or(end);
        }
        if let Some(end) = end {
            see(Host { start, end });
            at = end;
        }
    }
}

#[cfg(test)]
mod tests;
