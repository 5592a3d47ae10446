//! Names as numbers.

/// The 64-bit FNV-1a hash of `bytes`: gives text a place in the key space of [`draw`](crate::draw).
///
/// Not for security: an adversary can build two texts with one fingerprint. Mixing is left to the draw, which
/// scatters even keys that differ by one bit.
///
/// Source: G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake, "The FNV Non-Cryptographic Hash Algorithm".
///
/// ```
/// assert_eq!(brownout_draw::fingerprint(b"foobar"), 0x8594_4171_f739_67e8);
/// ```
#[must_use]
pub const fn fingerprint(bytes: &[u8]) -> u64 {
    go_on(OFFSET_BASIS, bytes)
}

/// The [`fingerprint`] of bytes that come one piece after another.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprint(u64);

const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Of nothing yet.
impl Default for Fingerprint {
    fn default() -> Self {
        Self(OFFSET_BASIS)
    }
}

impl Fingerprint {
    /// The next piece.
    pub const fn add(&mut self, bytes: &[u8]) {
        self.0 = go_on(self.0, bytes);
    }

    /// Of all pieces so far.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

const fn go_on(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut position = 0;
    while position < bytes.len() {
        hash = (hash ^ bytes[position] as u64).wrapping_mul(PRIME);
        position += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, fingerprint};

    /// From the test suite published with the FNV draft.
    #[test]
    fn known_answers() {
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint(b"foobar"), 0x8594_4171_f739_67e8);
    }
    #[test]
    fn pieces_come_to_the_whole() {
        let mut pieces = Fingerprint::default();
        assert_eq!(pieces.get(), fingerprint(b""));
        for piece in [&b"foo"[..], b"", b"bar"] {
            pieces.add(piece);
        }
        assert_eq!(pieces.get(), fingerprint(b"foobar"));
    }
}
