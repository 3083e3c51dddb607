//! Counter-based random streams, keyed by (seed, customer, purpose).
//!
//! A stream is a pure function of its key: no state is shared, so a customer's numbers do not depend on threads,
//! partitions, row order or on which other customers are in the file.

/// Words a block holds.
const BLOCK: usize = 4;
/// Blocks generated at a time: their rounds are independent, so the processor overlaps them.
const BLOCKS: usize = 4;
const ROUNDS: usize = 10;
const MULTIPLIERS: [u64; 2] = [0xD2E7_470E_E14C_6C93, 0xCA5A_8263_9512_1157];
const WEYL: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xBB67_AE85_84CA_A73B];
/// 2⁻⁵³.
const UNIT: f64 = 1.0 / 9_007_199_254_740_992.0;

/// One block of Philox4x64-10: ten rounds over a 256-bit counter with a 128-bit key.
///
/// Source: Salmon, Moraes, Dror & Shaw, Parallel random numbers: as easy as 1, 2, 3 (SC11), section 3.3.
#[must_use]
pub fn philox4x64(counter: [u64; 4], key: [u64; 2]) -> [u64; 4] {
    let [block] = blocks([counter], key);
    block
}

/// `K` independent blocks side by side.
#[inline]
fn blocks<const K: usize>(mut counters: [[u64; 4]; K], mut key: [u64; 2]) -> [[u64; 4]; K] {
    for _ in 0..ROUNDS {
        for counter in &mut counters {
            let first = u128::from(MULTIPLIERS[0]) * u128::from(counter[0]);
            let second = u128::from(MULTIPLIERS[1]) * u128::from(counter[2]);
            *counter = [
                (second >> 64) as u64 ^ counter[1] ^ key[0],
                second as u64,
                (first >> 64) as u64 ^ counter[3] ^ key[1],
                first as u64,
            ];
        }
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counters
}

/// An endless stream of random numbers for one (seed, customer, purpose).
///
/// Block `n` is Philox4x64-10 of counter `(n, 0, customer, 0)` under key `(seed, purpose)`; streams with different
/// seed, customer or purpose never meet, because Philox is a bijection of the counter for each key.
#[derive(Debug, Clone)]
pub struct Stream {
    key: [u64; 2],
    customer: u64,
    block: u64,
    words: [u64; BLOCK * BLOCKS],
    next: usize,
}

impl Stream {
    /// The stream of one customer for one purpose; equal arguments give equal streams.
    ///
    /// * `seed`: the run's seed.
    /// * `customer`: the customer's key, stable between runs (a hash of the id), not a row number.
    /// * `purpose`: what the numbers are for, one constant a use.
    #[must_use]
    pub fn new(seed: u64, customer: u64, purpose: u64) -> Self {
        Self { key: [seed, purpose], customer, block: 0, words: [0; BLOCK * BLOCKS], next: BLOCK * BLOCKS }
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        if self.next == BLOCK * BLOCKS {
            self.refill();
        }
        let word = self.words[self.next];
        self.next += 1;
        word
    }

    #[inline(never)]
    fn refill(&mut self) {
        let first = self.block;
        let counters: [[u64; 4]; BLOCKS] = std::array::from_fn(|k| [first.wrapping_add(k as u64), 0, self.customer, 0]);
        for (words, block) in self.words.chunks_exact_mut(BLOCK).zip(blocks(counters, self.key)) {
            words.copy_from_slice(&block);
        }
        self.block = first.wrapping_add(BLOCKS as u64);
        self.next = 0;
    }

    /// Uniform on the open interval (0, 1): odd multiples of 2⁻⁵⁴, never 0, never 1.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        open_unit(self.next_u64())
    }

    /// Uniform on `0..n` without bias, for `n > 0`; 0 for `n == 0`.
    ///
    /// Source: Lemire, Fast random integer generation in an interval, ACM TOMACS 29 (2019).
    pub fn below(&mut self, n: u64) -> u64 {
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if (product as u64) < n {
            let threshold = n.wrapping_neg() % n;
            while (product as u64) < threshold {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }
}

/// 64 random bits as a number in the open interval (0, 1): the upper 53 bits, plus a half, over 2⁵³.
///
/// The largest value, `1 − 2⁻⁵⁴`, rounds to 1 in binary64; it is mapped to `1 − 2⁻⁵³`.
#[inline]
#[must_use]
pub fn open_unit(bits: u64) -> f64 {
    (((bits >> 11) as f64 + 0.5) * UNIT).min(1.0 - UNIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_match_the_known_answers_of_random123() {
        // Random123 1.14, tests/kat_vectors, philox4x64 with 10 rounds.
        for (counter, key, expected) in [
            (
                [0; 4],
                [0; 2],
                [0x1655_4d9e_ca36_314c, 0xdb20_fe9d_672d_0fdc, 0xd7e7_72ce_e186_176b, 0x7e68_b68a_ec7b_a23b],
            ),
            (
                [u64::MAX; 4],
                [u64::MAX; 2],
                [0x87b0_92c3_013f_e90b, 0x438c_3c67_be8d_0224, 0x9cc7_d7c6_9cd7_77b6, 0xa09c_aebf_594f_0ba0],
            ),
            (
                [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89],
                [0x4528_21e6_38d0_1377, 0xbe54_66cf_34e9_0c6c],
                [0xa528_f454_03e6_1d95, 0x38c7_2dbd_566e_9788, 0xa5a1_610e_72fd_18b5, 0x57bd_43b5_e52b_7fe6],
            ),
        ] {
            assert_eq!(philox4x64(counter, key), expected);
        }
    }

    #[test]
    fn a_stream_is_the_blocks_of_its_customer_in_order() {
        let mut stream = Stream::new(42, 7, 3);
        for n in 0..9 {
            let block = philox4x64([n, 0, 7, 0], [42, 3]);
            assert_eq!([(); 4].map(|()| stream.next_u64()), block);
        }
    }

    #[test]
    fn a_stream_matches_an_independent_implementation() {
        // numpy 2.3: Philox(key=[42, 3], counter) set one block before (0, 0, 7, 0); words 0, 4 and 23.
        let mut stream = Stream::new(42, 7, 3);
        let words: Vec<u64> = (0..24).map(|_| stream.next_u64()).collect();
        assert_eq!(
            [words[0], words[4], words[23]],
            [0x495f_26d8_9247_3098, 0x3a51_0a07_4cda_c980, 0xe6ca_05fd_7b2f_9c23]
        );
    }

    #[test]
    fn streams_differ_by_seed_customer_and_purpose() {
        let first = |seed, customer, purpose| Stream::new(seed, customer, purpose).next_u64();
        let base = first(1, 2, 3);
        assert!(base != first(2, 2, 3) && base != first(1, 3, 3) && base != first(1, 2, 4) && base != first(3, 2, 1));
        assert_eq!(base, first(1, 2, 3));
    }

    #[test]
    fn uniforms_stay_inside_the_open_interval() {
        assert!(open_unit(0) > 0.0 && open_unit(u64::MAX) < 1.0);
        let mut stream = Stream::new(1, 1, 1);
        let mean = (0..100_000).map(|_| stream.uniform()).sum::<f64>() / 1e5;
        // Four standard errors: 4 / √(12 · 10⁵).
        assert!((mean - 0.5).abs() < 0.0037, "{mean}");
    }

    #[test]
    fn integers_below_a_bound_are_even() {
        let mut stream = Stream::new(5, 1, 1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[stream.below(7) as usize] += 1;
        }
        // χ² with 6 degrees of freedom stays below 22.5 with probability 0.999.
        let chi: f64 = counts.iter().map(|&n| (f64::from(n) - 1e4).powi(2) / 1e4).sum();
        assert!(chi < 22.5, "{counts:?}");
        assert_eq!(stream.below(0), 0);
    }
}
