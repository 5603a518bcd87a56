//! What a YAML scalar means to the daemon, whose YAML is a mixture of 1.1 and 1.2 with rules of its own.

use base64::Engine as _;

/// A scalar as the daemon's decoder resolves it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    /// Nothing: the key is as good as absent.
    Null,
    /// An integer.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Anything else, and what its text is once decoded.
    Text(String),
}

/// Resolves `text`. `tag` is the short form of an explicit tag; `plain` is whether it stood without quotes.
///
/// # Errors
/// What is wrong, as a phrase, if an explicit tag does not fit the text.
pub(super) fn resolve(tag: Option<&str>, text: &str, plain: bool) -> Result<Scalar, String> {
    let as_text = || Scalar::Text(text.to_owned());
    match tag {
        None if plain => Ok(plain_scalar(text)),
        None | Some("!!str") => Ok(as_text()),
        Some("!!binary") => {
            let decoded = base64::engine::general_purpose::STANDARD.decode(text.replace(['\n', '\r'], ""));
            let bytes = decoded.map_err(|_| "this is not valid base64".to_owned())?;
            Ok(Scalar::Text(String::from_utf8_lossy(&bytes).into_owned()))
        }
        Some(tag @ ("!!null" | "!!int" | "!!float" | "!!bool" | "!!timestamp")) => {
            let scalar = plain_scalar(text);
            match (tag, &scalar) {
                ("!!null", Scalar::Null) | ("!!int", Scalar::Int(_)) | ("!!float", Scalar::Float(_)) => Ok(scalar),
                #[allow(clippy::cast_precision_loss, reason = "what the tag asks for")]
                ("!!float", Scalar::Int(number)) => Ok(Scalar::Float(*number as f64)),
                ("!!bool", _) if is_bool(text) => Ok(scalar),
                ("!!timestamp", _) if is_date(text) => Ok(scalar),
                _ => Err(format!("`{text}` is no {tag}")),
            }
        }
        // Other tags are ignored, but keep the text from being taken for anything else.
        Some(_) => Ok(as_text()),
    }
}

/// Whether a plain `text` means nothing.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Whether `text` is a boolean of YAML 1.2.
pub(super) fn is_bool(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
}

/// Whether `text` starts as a timestamp does.
pub(super) fn is_date(text: &str) -> bool {
    let mut parts = text.split(['T', 't', ' ']).next().unwrap_or_default().split('-');
    let mut number = |digits: std::ops::RangeInclusive<usize>| {
        parts
            .next()
            .filter(|p| digits.contains(&p.len()))
            .and_then(|p| p.parse::<u8>().ok().or(p.parse::<u16>().ok().map(|_| 0)))
    };
    number(4..=4).is_some()
        && number(1..=2).is_some_and(|month| (1..=12).contains(&month))
        && number(1..=2).is_some_and(|day| (1..=31).contains(&day))
}

fn plain_scalar(text: &str) -> Scalar {
    if is_null(text) {
        return Scalar::Null;
    }
    number(text).unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

/// The number that a plain `text` stands for.
pub(super) fn number(text: &str) -> Option<Scalar> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(Scalar::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(Scalar::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => return Some(Scalar::Float(f64::NAN)),
        _ => {}
    }
    let first = text.bytes().next()?;
    if first == b'.' {
        return float(text).map(Scalar::Float);
    }
    if !first.is_ascii_digit() && first != b'+' && first != b'-' {
        return None;
    }
    let text = text.replace('_', "");
    if let Some(number) = integer(&text) {
        return Some(number);
    }
    // Only decimal notation: not what else could be read as a float.
    let decimal = text.bytes().all(|c| c.is_ascii_digit() || matches!(c, b'+' | b'-' | b'.' | b'e' | b'E'));
    if decimal { float(&text).map(Scalar::Float) } else { None }
}

fn integer(text: &str) -> Option<Scalar> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    // Rust would take a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Scalar::Int);
    }
    #[allow(clippy::cast_precision_loss, reason = "too large for any field either way")]
    Some(i64::try_from(magnitude).map_or(Scalar::Float(magnitude as f64), Scalar::Int))
}

/// A floating-point number in Go's decimal syntax; too large a one is an error, not infinity.
pub(super) fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text).to_ascii_lowercase();
    let named = matches!(unsigned.as_str(), "inf" | "infinity" | "nan");
    if named {
        return text.parse().ok();
    }
    let text = without_underscores(text)?;
    match unsigned.strip_prefix("0x") {
        Some(_) => hexadecimal(&text),
        None => text.parse::<f64>().ok().filter(|number| number.is_finite()),
    }
}

/// `text` without its underscores, each of which must stand between two digits or after `0x`.
fn without_underscores(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let is_digit = |index: Option<usize>| {
        let c = index.and_then(|index| chars.get(index));
        c.is_some_and(|c| c.is_ascii_hexdigit() || matches!(c, 'x' | 'X'))
    };
    let fits = |index: usize| is_digit(index.checked_sub(1)) && is_digit(Some(index + 1));
    let all_fit = chars.iter().enumerate().all(|(index, c)| *c != '_' || fits(index));
    all_fit.then(|| chars.into_iter().filter(|c| *c != '_').collect())
}

/// `0x1.8p3`: hexadecimal digits times a power of two, which must be given.
fn hexadecimal(text: &str) -> Option<f64> {
    let (negative, text) = (text.starts_with('-'), text.trim_start_matches(['+', '-']).to_ascii_lowercase());
    let (digits, exponent) = text.strip_prefix("0x")?.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut mantissa = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        mantissa = mantissa * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let scale = exponent.checked_sub(i32::try_from(fraction.len()).ok()?.checked_mul(4)?)?;
    let number: f64 = mantissa * 2.0_f64.powi(scale);
    number.is_finite().then_some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::{Scalar, float, resolve};

    #[test]
    fn plain_scalars_resolve_as_the_daemon_resolves_them() {
        for (text, expected) in [
            ("", Scalar::Null),
            ("~", Scalar::Null),
            ("12", Scalar::Int(12)),
            ("-12", Scalar::Int(-12)),
            ("+12", Scalar::Int(12)),
            ("1_000", Scalar::Int(1000)),
            ("0x1F", Scalar::Int(31)),
            ("-0x1F", Scalar::Int(-31)),
            ("0o17", Scalar::Int(15)),
            ("017", Scalar::Int(15)),
            ("0b101", Scalar::Int(5)),
            ("08", Scalar::Float(8.0)),
            ("1.5", Scalar::Float(1.5)),
            (".5", Scalar::Float(0.5)),
            ("1e3", Scalar::Float(1000.0)),
            ("18446744073709551616", Scalar::Float(18_446_744_073_709_551_616.0)),
        ] {
            assert_eq!(resolve(None, text, true), Ok(expected), "{text:?}");
        }
        for text in ["yes", "true", "1.2.3", "12a", "--1", "0x", "-", "+", "1e", "2020-01-01", "<<"] {
            assert_eq!(resolve(None, text, true), Ok(Scalar::Text(text.to_owned())), "{text:?}");
        }
        assert_eq!(resolve(None, "12", false), Ok(Scalar::Text("12".to_owned())));
    }

    #[test]
    fn an_explicit_tag_must_fit() {
        assert_eq!(resolve(Some("!!int"), "5", false), Ok(Scalar::Int(5)));
        assert_eq!(resolve(Some("!!float"), "5", true), Ok(Scalar::Float(5.0)));
        assert_eq!(resolve(Some("!!str"), "5", true), Ok(Scalar::Text("5".to_owned())));
        assert_eq!(resolve(Some("!mine"), "5", true), Ok(Scalar::Text("5".to_owned())));
        assert_eq!(resolve(Some("!!binary"), "aGk=", true), Ok(Scalar::Text("hi".to_owned())));
        for (tag, text) in [("!!int", "x"), ("!!null", "x"), ("!!bool", "yes"), ("!!binary", "?")] {
            assert!(resolve(Some(tag), text, true).is_err(), "{tag} {text}");
        }
    }

    #[test]
    fn floats_are_read_as_go_reads_them() {
        assert_eq!(float("1.5"), Some(1.5));
        assert_eq!(float("1e999"), None);
        assert_eq!(float("Inf"), Some(f64::INFINITY));
        assert_eq!(float("1_000.5"), Some(1000.5));
        assert_eq!(float("0x1.8p3"), Some(12.0));
        for text in ["x", "_1", "1_", "1__0", "1_.5", "0x1", "0xp1", "", "+-1"] {
            assert_eq!(float(text), None, "{text}");
        }
    }
}
