//! Checksums as POSIX `cksum` prints them: a CRC of 32 bits, and the length. Every system has that program, and it is an
//! order of magnitude quicker than `sha256sum`; it is for what an accident may have changed, not for what somebody may.

use crc32fast::Hasher;

/// Bytes that are mirrored at a time: a part of the nearest cache.
const BLOCK: usize = 8 * 1024;

/// A checksum under way.
///
/// `cksum` reads the bits of a byte from the other end than the usual CRC-32 does, and is the same but for that: so it
/// is the mirrored CRC of mirrored bytes, for which there are instructions.
#[derive(Clone)]
pub struct Cksum {
    mirrored: Hasher,
    len: u64,
}

impl Cksum {
    /// That of nothing yet.
    #[allow(clippy::new_without_default, reason = "nothing is summed by default")]
    pub fn new() -> Self {
        // It begins with zeros, where the usual one begins with ones.
        Self { mirrored: Hasher::new_with_initial(!0), len: 0 }
    }

    /// Adds some bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let mut block = [0; BLOCK];
        for part in bytes.chunks(BLOCK) {
            let block = &mut block[..part.len()];
            block.copy_from_slice(part);
            let (words, rest) = block.as_chunks_mut::<8>();
            for word in words {
                // All bits of the word the other way round, and the bytes back in their order.
                *word = u64::from_le_bytes(*word).reverse_bits().to_be_bytes();
            }
            rest.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
            self.mirrored.update(block);
        }
        self.len += bytes.len() as u64;
    }

    /// How many bytes were added.
    #[allow(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// What `cksum` prints of its standard input, without the end of the line.
    pub fn text(mut self) -> String {
        let len = self.len;
        // The length belongs to what is summed: as many octets as it takes, the least of them first.
        let octets = len.to_le_bytes();
        self.update(&octets[..octets.len() - len.leading_zeros() as usize / 8]);
        format!("{} {len}", self.mirrored.finalize().reverse_bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    fn printed(bytes: &[u8]) -> String {
        let mut cksum = Command::new("cksum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("POSIX");
        cksum.stdin.take().expect("a pipe").write_all(bytes).expect("it reads");
        let said = cksum.wait_with_output().expect("it ends").stdout;
        String::from_utf8(said).expect("text").trim_end().to_owned()
    }

    #[test]
    fn it_is_what_the_program_prints() {
        for len in [0, 1, 3, 255, 256, 65_535, 65_536, 300_001] {
            let bytes: Vec<u8> = (0..len).map(|at: u32| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
            let mut sum = Cksum::new();
            for part in bytes.chunks(100_000) {
                sum.update(part);
            }
            assert_eq!(sum.text(), printed(&bytes), "{len} bytes");
        }
    }
}
