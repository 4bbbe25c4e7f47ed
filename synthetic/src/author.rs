//! Who posts.
//!
//! Idea: an author is a number below a quarter of a million; id and screen name are functions of it, so that nothing
//! has to be kept. Small numbers post more often than large ones.
//! Invariant: a screen name has 4 to 15 ASCII letters, digits and underscores, as mentions need.

use std::fmt::Write;

use super::random::Random;

/// How many authors there are.
const AUTHORS: u32 = 1 << 18;
const SYLLABLES: [&str; 64] = [
    "ka", "mi", "to", "ra", "ne", "so", "li", "va", "do", "shi", "ben", "tal", "mor", "gus", "pia", "zed",
    "lu", "fa", "ro", "ju", "han", "wil", "tor", "eda", "ola", "ivo", "uma", "nia", "ser", "kim", "ang",
    "del", "bo", "cy", "di", "ef", "go", "hu", "ia", "jo", "ky", "lo", "my", "no", "ok", "pa", "qi", "re",
    "su", "ty", "ul", "ve", "wa", "xi", "yo", "zo", "art", "bel", "cat", "dan", "eli", "fin", "gil", "hal",
];

/// One author's number.
pub fn draw(random: &mut Random) -> u32 {
    let spread = u64::from(random.below(AUTHORS));
    ((spread * u64::from(random.below(AUTHORS))) / u64::from(AUTHORS)) as u32
}

/// The id of an author.
pub fn id(author: u32) -> u64 {
    100_000 + u64::from(author) * 31
}

/// Appends the screen name of an author.
pub fn write_name(author: u32, out: &mut String) {
    for shift in [0, 6, 12] {
        out.push_str(SYLLABLES[(author >> shift & 63) as usize]);
    }
    if author.is_multiple_of(3) {
        // Writing to a string cannot fail.
        let _ = write!(out, "_{}", author % 97);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_and_small_numbers_come_more_often() {
        let mut random = Random::new(1);
        let mut small = 0;
        for _ in 0..10_000 {
            let author = draw(&mut random);
            let mut name = String::new();
            write_name(author, &mut name);
            assert!((4..=15).contains(&name.len()), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name}");
            small += usize::from(author < AUTHORS / 10);
        }
        assert!(small > 3_000, "{small}");
    }
}
