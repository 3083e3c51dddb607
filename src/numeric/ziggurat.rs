//! Standard normal and exponential variates by the ziggurat method, 256 layers.
//!
//! Source: Marsaglia & Tsang, The ziggurat method for generating random variables, J. Stat. Softw. 5(8) (2000);
//! tail of the normal: Marsaglia (1964). Layer and position come from different bits, which removes the correlation
//! that Doornik (2005) found in the original.

use super::philox::{Stream, open_unit};
use std::sync::LazyLock;

const LAYERS: usize = 256;
/// Right edge of the bottom layer's rectangle for 256 layers (Marsaglia & Tsang 2000, section 2).
const NORMAL_EDGE: f64 = 3.654_152_885_361_009;
const EXPONENTIAL_EDGE: f64 = 7.697_117_470_131_05;

/// Layer edges `x` (descending, `x[0]` is the bottom layer's pseudo-edge) and heights `f(x)`.
struct Layers {
    x: [f64; LAYERS + 1],
    f: [f64; LAYERS + 1],
}

static NORMAL: LazyLock<Layers> = LazyLock::new(|| {
    let tail = (0.5 * std::f64::consts::PI).sqrt() * libm::erfc(NORMAL_EDGE / std::f64::consts::SQRT_2);
    Layers::new(NORMAL_EDGE, tail, normal_density, |height| libm::sqrt(-2.0 * libm::log(height)))
});

static EXPONENTIAL: LazyLock<Layers> = LazyLock::new(|| {
    Layers::new(EXPONENTIAL_EDGE, exponential_density(EXPONENTIAL_EDGE), exponential_density, |height| {
        -libm::log(height)
    })
});

fn normal_density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x)
}

fn exponential_density(x: f64) -> f64 {
    libm::exp(-x)
}

impl Layers {
    /// Layers of equal area `edge · f(edge) + tail`, from the bottom up.
    fn new(edge: f64, tail: f64, density: fn(f64) -> f64, inverse: fn(f64) -> f64) -> Self {
        let area = edge * density(edge) + tail;
        let mut x = [0.0; LAYERS + 1];
        x[0] = area / density(edge);
        x[1] = edge;
        for i in 2..LAYERS {
            x[i] = inverse((area / x[i - 1] + density(x[i - 1])).min(1.0));
        }
        Self { x, f: x.map(density) }
    }
}

/// One draw from the standard normal distribution.
#[inline]
pub fn standard_normal(stream: &mut Stream) -> f64 {
    let layers = &*NORMAL;
    loop {
        let bits = stream.next_u64();
        let layer = (bits & 0xff) as usize;
        let x = (2.0 * open_unit(bits) - 1.0) * layers.x[layer];
        if x.abs() < layers.x[layer + 1] {
            return x;
        }
        if layer == 0 {
            return normal_tail(stream, x < 0.0);
        }
        let height = layers.f[layer + 1] + (layers.f[layer] - layers.f[layer + 1]) * stream.uniform();
        if height < normal_density(x) {
            return x;
        }
    }
}

#[cold]
fn normal_tail(stream: &mut Stream, negative: bool) -> f64 {
    loop {
        let beyond = -libm::log(stream.uniform()) / NORMAL_EDGE;
        if -2.0 * libm::log(stream.uniform()) >= beyond * beyond {
            let x = NORMAL_EDGE + beyond;
            return if negative { -x } else { x };
        }
    }
}

/// One draw from the exponential distribution with mean 1.
#[inline]
pub fn standard_exponential(stream: &mut Stream) -> f64 {
    let layers = &*EXPONENTIAL;
    let mut start = 0.0;
    loop {
        let bits = stream.next_u64();
        let layer = (bits & 0xff) as usize;
        let x = open_unit(bits) * layers.x[layer];
        if x < layers.x[layer + 1] {
            return start + x;
        }
        if layer == 0 {
            // The tail of an exponential is the same exponential again.
            start += EXPONENTIAL_EDGE;
            continue;
        }
        let height = layers.f[layer + 1] + (layers.f[layer] - layers.f[layer + 1]) * stream.uniform();
        if height < exponential_density(x) {
            return start + x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// √n · D stays below this with probability 0.999 (Kolmogorov's limit distribution).
    const KOLMOGOROV_999: f64 = 1.95;
    const DRAWS: usize = 200_000;

    fn distance(mut draws: Vec<f64>, distribution: fn(f64) -> f64) -> f64 {
        draws.sort_unstable_by(f64::total_cmp);
        let n = draws.len() as f64;
        let gap = |(i, x): (usize, &f64)| {
            let p = distribution(*x);
            (p - i as f64 / n).abs().max((p - (i as f64 + 1.0) / n).abs())
        };
        draws.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt()
    }

    #[test]
    fn the_top_layer_closes_at_the_mode() {
        // Every layer has the same area; the last one ends at height 1 only for the right edge constant.
        for (layers, area) in [(&*NORMAL, 0.004_928_673_233_974_658), (&*EXPONENTIAL, 0.003_949_659_822_581_572)] {
            let top = layers.x[LAYERS - 1] * (1.0 - layers.f[LAYERS - 1]);
            assert!((top - area).abs() < 1e-12, "{top} is not {area}");
            assert!(layers.x.windows(2).all(|pair| pair[0] > pair[1]));
        }
    }

    #[test]
    fn normal_draws_follow_the_normal_distribution() {
        let mut stream = Stream::new(1, 2, 3);
        let draws: Vec<f64> = (0..DRAWS).map(|_| standard_normal(&mut stream)).collect();
        let n = DRAWS as f64;
        let moment = |k| draws.iter().map(|x| x.powi(k)).sum::<f64>() / n;
        // Four standard errors of each moment: var(x^k) = 1, 2, 15, 96.
        for (k, expected, variance) in [(1, 0.0, 1.0_f64), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            assert!((moment(k) - expected).abs() < 4.0 * (variance / n).sqrt(), "moment {k}: {}", moment(k));
        }
        assert!(draws.iter().any(|x| x.abs() > NORMAL_EDGE), "the tail is never reached");
        assert!(distance(draws, |x| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)) < KOLMOGOROV_999);
    }

    #[test]
    fn exponential_draws_follow_the_exponential_distribution() {
        let mut stream = Stream::new(4, 5, 6);
        let draws: Vec<f64> = (0..DRAWS).map(|_| standard_exponential(&mut stream)).collect();
        assert!(draws.iter().any(|&x| x > EXPONENTIAL_EDGE), "the tail is never reached");
        assert!(distance(draws, |x| -libm::expm1(-x)) < KOLMOGOROV_999);
    }
}
