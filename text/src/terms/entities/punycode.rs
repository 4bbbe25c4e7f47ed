//! Punycode (RFC 3492): names of hosts in letters outside ASCII, as the domain name system writes them.
//!
//! Idea: two things are needed of it: what the top-level domains in other scripts look like, which the root zone lists
//! as `xn--..`, and whether a label would fit the 63 bytes that a label may have.
//! Cost: encoding is quadratic in the length of a label, but a label of more than 63 characters is never encoded.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const FIRST_CODE_POINT: u32 = 128;
const FIRST_BIAS: u32 = 72;

const PREFIX: &str = "xn--";
/// Bytes that a label may have.
pub(super) const MAX_LABEL: usize = 63;

/// Full stops of other scripts; whoever encodes a label takes them for dots.
const OTHER_DOTS: [char; 3] = ['。', '．', '｡'];

/// Whether a label, in whatever script, has at most 63 bytes in the domain name system.
pub(super) fn label_fits(label: &str) -> bool {
    if label.is_ascii() {
        return label.len() <= MAX_LABEL;
    }
    if label.chars().take(MAX_LABEL + 1).count() > MAX_LABEL {
        return false;
    }
    let parts = label.split(OTHER_DOTS).map(|part| encoded_length(part) + 1);
    parts.sum::<usize>() <= MAX_LABEL + 1
}

/// Length in bytes of the ASCII form of a label of at most [`MAX_LABEL`] characters.
fn encoded_length(label: &str) -> usize {
    let chars = || label.chars().map(u32::from);
    let basic = chars().filter(|&c| c < FIRST_CODE_POINT).count();
    if basic == label.len() {
        return basic;
    }
    let mut length = PREFIX.len() + basic + usize::from(basic > 0);
    let mut code_point = FIRST_CODE_POINT;
    let mut delta = 0;
    let mut bias = FIRST_BIAS;
    let mut handled = basic as u32;
    while let Some(next) = chars().filter(|&c| c >= code_point).min() {
        delta += (next - code_point) * (handled + 1);
        code_point = next;
        for c in chars() {
            if c < code_point {
                delta += 1;
            } else if c == code_point {
                length += digits(delta, bias);
                bias = adapt(delta, handled + 1, handled == basic as u32);
                delta = 0;
                handled += 1;
            }
        }
        delta += 1;
        code_point += 1;
    }
    length
}

/// The text behind an ASCII label; `None` if it is no punycode. `label` must be lower-case.
pub(super) fn decode(label: &str) -> Option<String> {
    let encoded = label.strip_prefix(PREFIX)?;
    let (basic, digits) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    let mut output: Vec<char> = basic.chars().collect();
    let mut code_point = FIRST_CODE_POINT;
    let mut index = 0_u32;
    let mut bias = FIRST_BIAS;
    let mut digits = digits.bytes();
    while digits.len() > 0 {
        let before = index;
        let mut weight = 1_u32;
        for k in (BASE..).step_by(BASE as usize) {
            let digit = match digits.next()? {
                letter @ b'a'..=b'z' => u32::from(letter - b'a'),
                number @ b'0'..=b'9' => u32::from(number - b'0') + 26,
                _ => return None,
            };
            index = index.checked_add(digit.checked_mul(weight)?)?;
            let threshold = threshold(k, bias);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
        }
        let length = output.len() as u32 + 1;
        bias = adapt(index - before, length, before == 0);
        code_point = code_point.checked_add(index / length)?;
        index %= length;
        output.insert(index as usize, char::from_u32(code_point)?);
        index += 1;
    }
    Some(output.into_iter().collect())
}

/// How many digits a number takes.
fn digits(mut number: u32, bias: u32) -> usize {
    let mut count = 1;
    let mut k = BASE;
    loop {
        let threshold = threshold(k, bias);
        if number < threshold {
            return count;
        }
        number = (number - threshold) / (BASE - threshold);
        count += 1;
        k += BASE;
    }
}

fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(T_MIN, T_MAX)
}

fn adapt(delta: u32, handled: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / handled;
    let mut k = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_label_is_too_strange(label in any::<String>(), digits in "xn--[a-z0-9-]*") {
            label_fits(&label);
            decode(&digits);
        }
    }

    #[test]
    fn names_of_the_root_zone_are_read() {
        for (encoded, name) in [
            ("xn--q9jyb4c", "みんな"),
            ("xn--fiqs8s", "中国"),
            ("xn--mgbai9azgqp6j", "پاکستان"),
            ("xn--vermgensberatung-pwb", "vermögensberatung"),
            ("xn--p1ai", "рф"),
        ] {
            assert_eq!(decode(encoded).as_deref(), Some(name));
        }
        assert_eq!(decode("com"), None);
        assert_eq!(decode("xn--99999999"), None);
    }

    #[test]
    fn a_label_is_measured_as_it_would_be_encoded() {
        assert!(label_fits(&"a".repeat(63)) && !label_fits(&"a".repeat(64)));
        // Where 63 bytes are reached was found with another encoder.
        for (fitting, longer) in [
            ("é".to_owned() + &"a".repeat(55), "é".to_owned() + &"a".repeat(56)),
            ("あ".repeat(57), "あ".repeat(58)),
            ("あ日".repeat(25), "あ日".repeat(27)),
        ] {
            assert!(label_fits(&fitting) && !label_fits(&longer), "{fitting}");
        }
        assert!(!label_fits(&"あ".repeat(2000)));
        assert_eq!(encoded_length("例え"), "xn--r8jz45g".len());
    }
}
