//! What stands behind the `?`, and what is percent-encoded before it.

use std::borrow::Cow;

/// A query in its order, decoded as a form: `+` and `%20` are blanks, values may be any bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, Vec<u8>)>);

impl Query {
    /// Reads what stands behind the `?`. Nothing is refused: an invalid escape is taken as it stands.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name, true);
            (String::from_utf8_lossy(&name).into_owned(), decode(value, true))
        });
        Self(pairs.collect())
    }

    /// Every pair, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Every value of `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.pairs().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The first value of `name`.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.pairs().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The first value of `name` as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.first(name).map(String::from_utf8_lossy)
    }
}

/// Decodes `%XX`, and `+` as a blank if `plus`.
pub(super) fn decode(text: &str, plus: bool) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(match (first, tail) {
            (b'%', [high, low, tail @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    rest = tail;
                    high << 4 | low
                }
                _ => b'%',
            },
            (b'+', _) if plus => b' ',
            (byte, _) => *byte,
        });
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_its_order_and_its_bytes() {
        let query = Query::parse("cmd=a+b&cmd=%2B%20%ff&&flag&x=1=2&%63md=&bad=%zz%4");
        let all: Vec<&[u8]> = query.all("cmd").collect();
        assert_eq!(all, [&b"a b"[..], b"+ \xff", b""]);
        assert_eq!(query.first("flag"), Some(&b""[..]));
        assert_eq!(query.text("x").as_deref(), Some("1=2"));
        assert_eq!(query.text("bad").as_deref(), Some("%zz%4"));
        assert_eq!(query.first("absent"), None);
        assert_eq!(query.pairs().count(), 6);
        assert_eq!(Query::parse(""), Query::default());
    }

    #[test]
    fn a_plus_in_a_path_is_a_plus() {
        assert_eq!(decode("a+b%2Fc", false), b"a+b/c");
    }
}
