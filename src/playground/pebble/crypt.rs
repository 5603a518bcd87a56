//! SHA-512-crypt, the form in which passwords of basic identities are kept (`openssl passwd -6`).
//!
//! The algorithm is Ulrich Drepper's "Unix crypt using SHA-256 and SHA-512".

use ring::digest::{Context, Digest, SHA512, digest};

/// What precedes the salt.
const MAGIC: &str = "$6$";

/// How often the digest is taken, unless the hash says otherwise.
const ROUNDS: u32 = 5000;

/// The longest salt, in bytes.
const MAX_SALT: usize = 16;

/// The digits of the text form.
const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether `password` is the one that `hash` was made of. A hash in another form matches nothing.
pub(super) fn verify(password: &str, hash: &str) -> bool {
    let Some((rounds, salt)) = parse(hash) else { return false };
    let made = encode(&derive(password.as_bytes(), salt.as_bytes(), rounds));
    // The salt is public, and so is where a wrong digest differs: no key is near.
    hash.rsplit('$').next() == Some(made.as_str())
}

/// The rounds and the salt of a hash.
fn parse(hash: &str) -> Option<(u32, &str)> {
    let rest = hash.strip_prefix(MAGIC)?;
    let (rounds, rest) = match rest.strip_prefix("rounds=").and_then(|rest| rest.split_once('$')) {
        Some((rounds, rest)) => (rounds.parse::<u32>().ok()?.clamp(1000, 999_999_999), rest),
        None => (ROUNDS, rest),
    };
    let (salt, _) = rest.split_once('$')?;
    Some((rounds, salt.get(..MAX_SALT).unwrap_or(salt)))
}

fn derive(password: &[u8], salt: &[u8], rounds: u32) -> [u8; 64] {
    let mut other = Context::new(&SHA512);
    other.update(password);
    other.update(salt);
    other.update(password);
    let other = bytes(&other.finish());

    let mut first = Context::new(&SHA512);
    first.update(password);
    first.update(salt);
    first.update(&repeat(&other, password.len()));
    let mut bits = password.len();
    while bits > 0 {
        first.update(if bits & 1 == 1 { &other } else { password });
        bits >>= 1;
    }
    let mut sum = bytes(&first.finish());

    let passwords = repeat(&bytes(&digest(&SHA512, &password.repeat(password.len()))), password.len());
    let salts = repeat(&bytes(&digest(&SHA512, &salt.repeat(16 + usize::from(sum[0])))), salt.len());
    for round in 0..rounds {
        let mut next = Context::new(&SHA512);
        let is_odd = round % 2 == 1;
        next.update(if is_odd { &passwords } else { &sum });
        if round % 3 != 0 {
            next.update(&salts);
        }
        if round % 7 != 0 {
            next.update(&passwords);
        }
        next.update(if is_odd { &sum } else { &passwords });
        sum = bytes(&next.finish());
    }
    sum
}

fn bytes(digest: &Digest) -> [u8; 64] {
    digest.as_ref().try_into().expect("SHA-512 has 64 bytes")
}

/// `length` bytes of `pattern`, over and over.
fn repeat(pattern: &[u8], length: usize) -> Vec<u8> {
    pattern.iter().copied().cycle().take(length).collect()
}

/// The text form: three bytes, 21 apart and turned on by one each time, make four digits, the lowest first.
fn encode(sum: &[u8; 64]) -> String {
    let mut text = String::with_capacity(86);
    let mut put = |mut bits: u32, digits: usize| {
        for _ in 0..digits {
            text.push(char::from(DIGITS[(bits & 63) as usize]));
            bits >>= 6;
        }
    };
    let (mut a, mut b, mut c) = (0, 21, 42);
    for _ in 0..21 {
        put(u32::from(sum[a]) << 16 | u32::from(sum[b]) << 8 | u32::from(sum[c]), 4);
        (a, b, c) = (b + 1, c + 1, a + 1);
    }
    put(u32::from(sum[63]), 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the algorithm's own description.
    #[test]
    fn known_hashes_are_matched() {
        let vectors = [
            (
                "Hello world!",
                "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
            ),
            (
                "Hello world!",
                "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
            ),
        ];
        for (password, hash) in vectors {
            assert!(verify(password, hash), "{hash}");
            assert!(!verify("hello world!", hash), "{hash}");
        }
    }

    #[test]
    fn what_is_no_hash_matches_nothing() {
        for hash in ["", "plain", "$6$", "$6$salt", "$5$salt$x", "$6$salt$"] {
            assert!(!verify("", hash) && !verify("plain", hash), "{hash}");
        }
    }
}
