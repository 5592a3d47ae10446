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
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash = OFFSET_BASIS;
    let mut position = 0;
    while position < bytes.len() {
        hash = (hash ^ bytes[position] as u64).wrapping_mul(PRIME);
        position += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    /// From the test suite published with the FNV draft.
    #[test]
    fn known_answers() {
        assert_eq!(fingerprint(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
