//! Ids for dedup, as `logdrain/drain/ids.py` makes them: UUID version 8 (RFC 9562 5.8).

use blake2::digest::consts::U10;
use blake2::{Blake2b, Digest};

/// The ids of one delivery: what names it is hashed once.
pub struct IdGenerator {
    named: Blake2b<U10>,
}

impl IdGenerator {
    /// `name` is what Python hashes: lengths and texts of the drain and of the delivery id.
    pub fn new(name: &[u8]) -> Self {
        Self { named: Blake2b::<U10>::new_with_prefix(name) }
    }

    /// The id of what stands at `position`.
    pub fn at(&self, time_ms: i64, position: u64) -> [u8; 16] {
        let mut placed = self.named.clone();
        placed.update(position.to_string().as_bytes());
        let mut wide = [0_u8; 16];
        wide[6..].copy_from_slice(&placed.finalize());
        let digest = u128::from_be_bytes(wide) >> 6;
        let low_bits = (1_u128 << 62) - 1;
        let value = (time_ms as u128) << 80
            | 0x8_u128 << 76
            | (digest >> 62) << 64
            | 0b10_u128 << 62
            | (digest & low_bits);
        value.to_be_bytes()
    }
}
