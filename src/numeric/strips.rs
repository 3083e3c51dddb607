//! Gamma variates of one shape from a table of strips: one random word and one multiplication in 98 of 100 draws.
//!
//! The density, as a multiple of its value at the mode, lies under 256 strips of equal area, the last of which is an
//! exponential tail. A strip is picked by eight bits; the position within it is accepted at once below the lowest value
//! that the density has in the strip, else by comparison with the density. The draws are exact.
//!
//! Source: Ahrens, A one-table method for sampling from continuous and discrete distributions, Computing 54 (1995),
//! 127–146; the tail: Devroye, Non-Uniform Random Variate Generation (1986), VII.2 (log-concave densities).

use super::philox::{Stream, open_unit};
use super::special::ln_gamma;

/// Strips of a table.
const STRIPS: usize = 256;
/// First guess of strips that are not wasted on the overhang of the others, and the growth of the area when too many
/// are needed.
const USED_STRIPS: f64 = 250.0;
const WIDER: f64 = 1.006;

/// Gamma distribution with shape `>= 1` and rate 1, as a table.
#[derive(Debug, Clone)]
pub struct GammaTable {
    shape: f64,
    strips: Box<[Strip; STRIPS]>,
    tail: Tail,
}

/// One strip: `left + [0, width]` under `height`; below `at_once · height` it lies within the density.
#[derive(Debug, Clone, Copy, Default)]
struct Strip {
    left: f64,
    /// Share of the strip's area that is accepted at once.
    at_once: f64,
    /// `width / at_once`.
    stretch: f64,
    width: f64,
    /// 0 in a strip that is not used.
    height: f64,
}

/// `x > from`, under `height · e^{−slope (x − from)}`, drawn in place of the strip `strip`.
#[derive(Debug, Clone, Copy)]
struct Tail {
    strip: usize,
    from: f64,
    slope: f64,
    height: f64,
    /// The tail's own area over that of a strip, `<= 1`.
    share: f64,
}

impl GammaTable {
    /// The table of a shape; `None` for a shape below 1 or not finite, where the density has no finite mode.
    #[must_use]
    pub fn new(shape: f64) -> Option<Self> {
        if !(1.0..1e12).contains(&shape) {
            return None;
        }
        let mode = shape - 1.0;
        // The whole area under the density over its value at the mode.
        let ln_area = if mode > 0.0 { ln_gamma(shape) + mode - mode * libm::log(mode) } else { 0.0 };
        let mut area = libm::exp(ln_area) / USED_STRIPS;
        loop {
            if let Some(table) = Self::with_area(shape, area) {
                return Some(table);
            }
            area *= WIDER;
        }
    }

    /// The table whose strips have this area; `None` where they are too many.
    fn with_area(shape: f64, area: f64) -> Option<Self> {
        let mode = shape - 1.0;
        let mut strips = Box::new([Strip::default(); STRIPS]);
        let mut used = 0;
        let mut put = |strip: Strip| {
            *strips.get_mut(used)? = strip;
            used += 1;
            Some(())
        };
        // From the mode to the left: the density is highest at a strip's right end.
        let (mut right, mut height) = (mode, 1.0);
        while right > 0.0 {
            let width = area / height;
            let left = right - width;
            let below = if left > 0.0 { density(shape, left) } else { 0.0 };
            put(Strip::new(left, width, height, below))?;
            (right, height) = (left, below);
        }
        // From the mode to the right: at its left end, until what is left fits under one exponential.
        let (mut left, mut height) = (mode, 1.0);
        let tail = loop {
            let slope = 1.0 - mode / left.max(f64::MIN_POSITIVE);
            if slope > 0.0 && height <= area * slope {
                break Tail { strip: 0, from: left, slope, height, share: height / slope / area };
            }
            let width = area / height;
            let below = density(shape, left + width);
            put(Strip::new(left, width, height, below))?;
            (left, height) = (left + width, below);
        };
        put(Strip { height: 1.0, ..Strip::default() })?;
        Some(Self { shape, strips, tail: Tail { strip: used - 1, ..tail } })
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// One draw, `> 0`.
    #[inline]
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        loop {
            let bits = stream.next_u64();
            let number = (bits & 0xff) as usize;
            let strip = &self.strips[number];
            let place = open_unit(bits);
            if place < strip.at_once {
                return strip.left + place * strip.stretch;
            }
            if let Some(draw) = self.overhang(number, stream) {
                return draw;
            }
        }
    }

    /// A draw from the part of a strip that was not accepted at once; `None` above the density.
    #[cold]
    fn overhang(&self, number: usize, stream: &mut Stream) -> Option<f64> {
        if number == self.tail.strip {
            return self.tail(stream);
        }
        let strip = &self.strips[number];
        let x = strip.left + strip.width * stream.uniform();
        let height = strip.height * (strip.at_once + (1.0 - strip.at_once) * stream.uniform());
        (x > 0.0 && height < density(self.shape, x)).then_some(x)
    }

    fn tail(&self, stream: &mut Stream) -> Option<f64> {
        let Tail { from, slope, height, share, .. } = self.tail;
        if stream.uniform() >= share {
            return None;
        }
        let beyond = -libm::log(stream.uniform());
        let x = from + beyond / slope;
        (height * libm::exp(-beyond) * stream.uniform() < density(self.shape, x)).then_some(x)
    }
}

impl Strip {
    fn new(left: f64, width: f64, height: f64, lowest: f64) -> Self {
        let at_once = lowest / height;
        let stretch = if at_once > 0.0 { width / at_once } else { 0.0 };
        Self { left, at_once, stretch, width, height }
    }
}

/// The density at `x > 0` over its value at the mode.
fn density(shape: f64, x: f64) -> f64 {
    let mode = shape - 1.0;
    if mode == 0.0 { libm::exp(-x) } else { libm::exp(mode * libm::log(x / mode) - (x - mode)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::quadrature::Rule;

    /// √n · D stays below this with probability 0.999 (Kolmogorov's limit distribution).
    const KOLMOGOROV_999: f64 = 1.95;
    const DRAWS: usize = 200_000;

    /// Distance of a sample to the gamma distribution, whose distribution function is summed from one draw to the next.
    fn distance(shape: f64, mut draws: Vec<f64>) -> f64 {
        draws.sort_unstable_by(f64::total_cmp);
        let n = draws.len() as f64;
        let ln_area = libm::lgamma(shape);
        let density = |x: f64| libm::exp((shape - 1.0) * libm::log(x) - x - ln_area);
        let rule = Rule::<8>::legendre();
        let (mut below, mut from, mut worst) = (0.0_f64, 0.0_f64, 0.0_f64);
        for (i, &x) in draws.iter().enumerate() {
            below += rule.on(from, x).map(|(u, weight)| weight * density(u)).sum::<f64>();
            from = x;
            worst = worst.max((below - i as f64 / n).abs()).max((below - (i as f64 + 1.0) / n).abs());
        }
        worst * n.sqrt()
    }

    #[test]
    fn draws_follow_the_gamma_distribution() {
        for shape in [1.0, 1.02, 1.5, 2.0, 3.74, 6.25, 41.0, 1000.0] {
            let table = GammaTable::new(shape).unwrap();
            let mut stream = Stream::new(3, shape.to_bits(), 5);
            let draws: Vec<f64> = (0..DRAWS).map(|_| table.draw(&mut stream)).collect();
            assert!(draws.iter().all(|&x| x > 0.0));
            assert!(draws.iter().any(|&x| x > table.tail.from), "{shape}: the tail is never reached");
            let found = distance(shape, draws);
            assert!(found < KOLMOGOROV_999, "{shape}: {found}");
        }
    }

    #[test]
    fn tails_have_their_probability() {
        // Exponential: P(X > x) = e^{−x}. Beyond the last strip and far into it.
        let table = GammaTable::new(1.0).unwrap();
        let mut stream = Stream::new(8, 1, 1);
        let n = 4_000_000;
        let mut beyond = [0_u32; 3];
        let cuts = [table.tail.from, table.tail.from + 1.0, table.tail.from + 2.0];
        for _ in 0..n {
            let x = table.draw(&mut stream);
            cuts.iter().zip(&mut beyond).for_each(|(cut, count)| *count += u32::from(x > *cut));
        }
        for (cut, count) in cuts.iter().zip(beyond) {
            let expected = libm::exp(-cut) * f64::from(n);
            assert!((f64::from(count) - expected).abs() < 4.5 * expected.sqrt(), "{cut}: {count}, {expected}");
        }
    }

    #[test]
    fn nearly_all_draws_take_one_word() {
        for shape in [1.0, 1.5, 3.74, 6.25, 300.0] {
            let table = GammaTable::new(shape).unwrap();
            let at_once: f64 = table.strips.iter().map(|strip| strip.at_once).sum::<f64>() / STRIPS as f64;
            assert!(at_once > 0.95, "{shape}: {at_once}");
        }
    }

    #[test]
    fn shapes_without_a_finite_mode_have_no_table() {
        for shape in [0.99, 0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(GammaTable::new(shape).is_none());
        }
    }
}
