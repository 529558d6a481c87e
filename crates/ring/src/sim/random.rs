//! The world's random numbers: SplitMix64 (Steele, Lea, Flood 2014), small enough to prove that
//! nothing else decides.
//!
//! Each part of the world (scheduler, network, every disk, every core) owns a stream forked from
//! the one seed, so that a change in one part disturbs the others as little as possible.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // One step apart, neighbouring seeds would share their streams but for one number.
        let mut spread = Self(seed);
        Self(spread.next() ^ 0x6a09_e667_f3bc_c908)
    }

    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let drawn = ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64;
        assert!(drawn < bound.max(1), "{drawn} is drawn below {bound}");
        drawn
    }

    /// True `per_million` times in a million. Costs no random number when it is 0.
    pub(crate) fn chance(&mut self, per_million: u32) -> bool {
        assert!(per_million <= 1_000_000, "{per_million} of a million is no likelihood");
        per_million > 0 && self.below(1_000_000) < u64::from(per_million)
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.next() >> 63 == 1
    }

    /// Eight bits, each set with the likelihood `keep` in 256.
    pub(crate) fn mask(&mut self, keep: u32) -> u8 {
        assert!(keep <= 256, "{keep} of 256 is no likelihood");
        let mut draw = self.next();
        let mut mask = 0;
        for bit in 0..8 {
            mask |= u8::from((draw & 0xff) < u64::from(keep)) << bit;
            draw >>= 8;
        }
        mask
    }

    /// How likely a thing that was not synced survives a crash, in 256: nothing, everything, and
    /// shades between.
    pub(crate) fn survival(&mut self) -> u32 {
        [0, 0, 256, 128, 128, 32, 224, 256][self.below(8) as usize]
    }
}
