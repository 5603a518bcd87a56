//! Checksums as POSIX `cksum` prints them: a CRC of 32 bits, and the length. Every system has that program, and it is an
//! order of magnitude quicker than `sha256sum`; it is for what an accident may have changed, not for what somebody may.

use crc::{CRC_32_CKSUM, Crc, Digest, Table};

static CKSUM: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_CKSUM);

/// A checksum under way.
#[derive(Clone)]
pub struct Cksum {
    digest: Digest<'static, u32, Table<16>>,
    len: u64,
}

impl Cksum {
    /// That of nothing yet.
    #[allow(clippy::new_without_default, reason = "nothing is summed by default")]
    pub fn new() -> Self {
        Self { digest: CKSUM.digest(), len: 0 }
    }

    /// Adds some bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.len += bytes.len() as u64;
    }

    /// How many bytes were added.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// What `cksum` prints of its standard input, without the end of the line.
    pub fn text(mut self) -> String {
        // The length belongs to what is summed: as many octets as it takes, the least of them first.
        let octets = self.len.to_le_bytes();
        let used = octets.len() - self.len.leading_zeros() as usize / 8;
        self.digest.update(&octets[..used]);
        format!("{} {}", self.digest.finalize(), self.len)
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
            for part in bytes.chunks(1000) {
                sum.update(part);
            }
            assert_eq!(sum.text(), printed(&bytes), "{len} bytes");
        }
    }
}
