//! Posts that others may pass on.
//!
//! Idea: a ring of some hundred originals, each eighth one of the stream taken in; newer ones are drawn more often.
//! Invariant: what is passed on is a whole, sound original, never a repost. Cost: the ring's buffers are used again;
//! one copy of about 300 bytes for each eighth post.

use super::author;
use super::random::Random;
use super::text::Text;

const RING: usize = 512;
/// How many characters of the original a repost repeats in its own text.
const PREVIEW: usize = 60;

/// An original that can be passed on.
#[derive(Default)]
pub struct Original {
    /// What a repost has as its own, cut text.
    pub preview: String,
    /// Code of its language.
    pub lang: &'static str,
    /// All of it.
    pub json: String,
}

/// The ring of originals.
#[derive(Default)]
pub struct Reposts {
    ring: Vec<Original>,
    newest: usize,
}

impl Reposts {
    /// One to pass on, if there is any yet.
    pub fn one(&self, random: &mut Random) -> Option<&Original> {
        let size = self.ring.len();
        let back = random.below(size.max(1) as u32).min(random.below(size.max(1) as u32)) as usize;
        self.ring.get((self.newest + size).checked_sub(back)? % size.max(1))
    }

    /// Takes in each eighth of the posts that are offered.
    pub fn offer(&mut self, author: u32, text: &Text, json: &str, random: &mut Random) {
        if random.below(8) != 0 {
            return;
        }
        if self.ring.len() < RING {
            self.newest = self.ring.len();
            self.ring.push(Original::default());
        } else {
            self.newest = (self.newest + 1) % RING;
        }
        let Some(place) = self.ring.get_mut(self.newest) else { return };
        place.lang = text.lang;
        place.json.clear();
        place.json.push_str(json);
        place.preview.clear();
        place.preview.push_str("RT @");
        author::write_name(author, &mut place.preview);
        place.preview.push_str(": ");
        match text.body.char_indices().nth(PREVIEW) {
            None => place.preview.push_str(&text.body),
            Some((cut, _)) => {
                place.preview.push_str(&text.body[..cut]);
                place.preview.push('…');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_originals_come_more_often_and_old_ones_leave() {
        let (mut reposts, mut random) = (Reposts::default(), Random::new(4));
        assert!(reposts.one(&mut random).is_none());
        let mut text = Text::default();
        for number in 0..20_000 {
            text.body = number.to_string();
            reposts.offer(1, &text, &text.body, &mut random);
        }
        assert_eq!(reposts.ring.len(), RING);
        let ages: Vec<usize> = (0..2_000)
            .map(|_| {
                20_000
                    - reposts
                        .one(&mut random)
                        .expect("the ring is full")
                        .json
                        .parse::<usize>()
                        .expect("a number")
            })
            .collect();
        assert!(ages.iter().all(|&age| age < 10_000), "{ages:?}");
        let mean = ages.iter().sum::<usize>() / ages.len();
        assert!((1_000..1_800).contains(&mean), "{mean}");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let (mut reposts, mut random) = (Reposts::default(), Random::new(4));
        let mut text = Text::default();
        text.body.push_str(&"桜".repeat(100));
        (0..100).for_each(|_| reposts.offer(1, &text, "{}", &mut random));
        let preview = &reposts.one(&mut random).expect("some of a hundred").preview;
        assert!(preview.ends_with(&format!("{}…", "桜".repeat(PREVIEW))), "{preview}");
    }
}
