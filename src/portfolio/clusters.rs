//! Clusters of customers by k-means on a few comparable columns: k-means++ and Lloyd's iterations, the same for any number of
//! threads.
//!
//! Why not a library: those at hand add floats over customers in an order that depends on threads, and bring an array library
//! with them; this is some hundred lines over [`numeric::sums`](crate::numeric::sums).

use rayon::prelude::*;

use crate::{
    numeric::{philox::Stream, sums},
    schema::portfolio::ClusterScale,
};

/// Key of the random stream that first centres are drawn from.
const PURPOSE: u64 = 0x636c_7573_7465_7273;

/// Iterations at most; fewer when no customer moves.
const ITERATIONS: usize = 100;

/// Starts, each from first centres of its own: of one alone every second or third may end at a poor optimum.
const STARTS: u64 = 8;

/// Customers whom the starts are made of, at most about: where they lead is known by then.
const SAMPLE: usize = 32_768;

/// A column made comparable: after the scale's own step, mean 0 and standard deviation 1. What is unknown is 0, the mean; a
/// column that is the same for all is 0 everywhere.
#[must_use]
pub fn scaled(column: &[Option<f64>], scale: ClusterScale) -> Vec<f64> {
    let mut values: Vec<Option<f64>> = column.iter().map(|value| value.filter(|value| value.is_finite())).collect();
    match scale {
        ClusterScale::Standard => {}
        ClusterScale::Log => {
            for value in values.iter_mut().flatten() {
                *value = libm::copysign(libm::log1p(value.abs()), *value);
            }
        }
        ClusterScale::Rank => rank(&mut values),
    }
    let known = values.iter().flatten().count() as f64;
    let sum = |of: &(dyn Fn(f64) -> f64 + Sync)| {
        sums::chunked::<1, _>(values.len(), |rows| [values[rows].iter().flatten().map(|value| of(*value)).sum()])[0]
    };
    let mean = if known > 0.0 { sum(&|value| value) / known } else { 0.0 };
    let variance = sum(&|value| (value - mean) * (value - mean)) / known.max(1.0);
    let sd = variance.sqrt();
    values.iter().map(|value| value.map_or(0.0, |value| if sd > 0.0 { (value - mean) / sd } else { 0.0 })).collect()
}

/// Each value's share of strictly smaller ones and half of its equals.
fn rank(values: &mut [Option<f64>]) {
    let known = values.iter().zip(0_u32..).filter_map(|(value, row)| Some(((*value)?, row)));
    let mut sorted: Vec<(f64, u32)> = known.collect();
    sorted.par_sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    let mut below = 0;
    for equals in sorted.chunk_by(|left, right| left.0 >= right.0) {
        for (_, row) in equals {
            values[*row as usize] = Some((2 * below + equals.len()) as f64 / 2.0);
        }
        below += equals.len();
    }
}

/// The cluster of each customer, from 0: clusters are numbered by the mean of the first column, largest first, then of the
/// next.
///
/// First centres by greedy k-means++ (each drawn with a probability in proportion to the squared distance from the nearest one
/// drawn so far, the best of `2 + ⌊ln k⌋` draws), then Lloyd's iterations until nobody moves, 100 at most. Of eight such starts the
/// one counts whose squared distances add up to least, of equals the first. Of more than 32,768 customers the starts are of every
/// second, third or later one, and all go on from where the best ended. Of equally near centres the first counts. Fewer customers
/// than clusters, or fewer distinct ones, give fewer clusters.
///
/// * `columns`: scaled, one value a customer.
///
/// Sources: Arthur & Vassilvitskii, k-means++ (2007); Lloyd, Least squares quantization in PCM (1982).
#[must_use]
pub fn k_means(columns: &[Vec<f64>], clusters: usize, seed: u64) -> Vec<u16> {
    let step = columns.first().map_or(0, Vec::len).div_ceil(SAMPLE).max(1);
    let sample: Vec<Vec<f64>> = columns.iter().map(|column| column.iter().step_by(step).copied().collect()).collect();
    let ended = (0..STARTS).map(|start| from(&sample, first_centres(&sample, clusters, (seed, start))));
    let best = ended.reduce(|best, next| if next.0 < best.0 { next } else { best });
    let best = best.map(|best| if step == 1 { best } else { from(columns, best.2) });
    best.map_or_else(Vec::new, |(_, of, centres)| numbered(of, &centres))
}

/// Lloyd's iterations: the sum of squared distances, clusters and centres that they end with.
fn from(columns: &[Vec<f64>], mut centres: Vec<Vec<f64>>) -> (f64, Vec<u16>, Vec<Vec<f64>>) {
    let customers = columns.first().map_or(0, Vec::len);
    let mut of = vec![0_u16; customers];
    for _ in 0..ITERATIONS {
        let nearest: Vec<u16> = (0..customers).into_par_iter().map(|row| nearest(columns, &centres, row).0).collect();
        let moved = nearest != of;
        of = nearest;
        move_centres(columns, &of, &mut centres);
        if !moved {
            break;
        }
    }
    let distance: Vec<f64> = (0..customers).into_par_iter().map(|row| nearest(columns, &centres, row).1).collect();
    (total(&distance), of, centres)
}

/// * `start`: which one.
fn first_centres(columns: &[Vec<f64>], clusters: usize, (seed, start): (u64, u64)) -> Vec<Vec<f64>> {
    let customers = columns.first().map_or(0, Vec::len);
    if customers == 0 {
        return Vec::new();
    }
    let mut stream = Stream::new(seed, start, PURPOSE);
    let at = |row: usize| -> Vec<f64> { columns.iter().map(|column| column[row]).collect() };
    let mut centres = vec![at(stream.below(customers as u64) as usize)];
    let mut distance = nearer(columns, &vec![f64::INFINITY; customers], &centres[0]);
    let trials = 2 + libm::log(clusters as f64) as usize;
    while centres.len() < clusters && total(&distance) > 0.0 {
        let mut best: Option<(f64, Vec<f64>, Vec<f64>)> = None;
        for _ in 0..trials {
            let centre = at(drawn(&distance, stream.uniform()));
            let nearer = nearer(columns, &distance, &centre);
            let left = total(&nearer);
            if best.as_ref().is_none_or(|(least, _, _)| left < *least) {
                best = Some((left, centre, nearer));
            }
        }
        let Some((_, centre, nearer)) = best else { break };
        centres.push(centre);
        distance = nearer;
    }
    centres
}

/// Squared distance of every customer to the nearest centre, with one more centre.
fn nearer(columns: &[Vec<f64>], distance: &[f64], centre: &[f64]) -> Vec<f64> {
    let centre = [centre.to_vec()];
    let of = |(row, distance): (usize, &f64)| distance.min(nearest(columns, &centre, row).1);
    distance.par_iter().enumerate().map(of).collect()
}

fn total(values: &[f64]) -> f64 {
    sums::chunked::<1, _>(values.len(), |rows| [values[rows].iter().sum()])[0]
}

/// The row that a share of the whole falls on; one with a weight, also where rounding takes the share past the end.
fn drawn(weights: &[f64], share: f64) -> usize {
    let mut left = share * total(weights);
    let found = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    found.or_else(|| weights.iter().rposition(|weight| *weight > 0.0)).unwrap_or(0)
}

/// The nearest centre, and its squared distance.
fn nearest(columns: &[Vec<f64>], centres: &[Vec<f64>], row: usize) -> (u16, f64) {
    let mut best = (0, f64::INFINITY);
    for (number, centre) in centres.iter().enumerate() {
        let square = |(column, centre): (&Vec<f64>, &f64)| (column[row] - centre) * (column[row] - centre);
        let distance: f64 = columns.iter().zip(centre).map(square).sum();
        if distance < best.1 {
            best = (number as u16, distance);
        }
    }
    best
}

/// Every centre goes to the mean of its customers; one without any stays.
fn move_centres(columns: &[Vec<f64>], of: &[u16], centres: &mut [Vec<f64>]) {
    let width = columns.len() + 1;
    let sums = sums::chunked_wide(of.len(), centres.len() * width, |rows, sums| {
        for row in rows {
            let own = &mut sums[usize::from(of[row]) * width..];
            own[0] += 1.0;
            own[1..].iter_mut().zip(columns).for_each(|(sum, column)| *sum += column[row]);
        }
    });
    for (centre, sums) in centres.iter_mut().zip(sums.chunks(width)) {
        if sums[0] > 0.0 {
            centre.iter_mut().zip(&sums[1..]).for_each(|(centre, sum)| *centre = sum / sums[0]);
        }
    }
}

/// Clusters numbered by their centres, the largest first; empty ones last.
fn numbered(of: Vec<u16>, centres: &[Vec<f64>]) -> Vec<u16> {
    let mut used = vec![false; centres.len()];
    for cluster in &of {
        used[usize::from(*cluster)] = true;
    }
    let mut order: Vec<usize> = (0..centres.len()).collect();
    order.sort_by(|a, b| {
        let larger = centres[*b].iter().zip(&centres[*a]).map(|(b, a)| b.total_cmp(a)).find(|order| order.is_ne());
        used[*b].cmp(&used[*a]).then(larger.unwrap_or(a.cmp(b)))
    });
    let mut number = vec![0; centres.len()];
    for (place, cluster) in order.into_iter().enumerate() {
        number[cluster] = place as u16;
    }
    of.into_iter().map(|cluster| number[usize::from(cluster)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three heaps of thirty around (10, 0), (0, 0) and (0, −10).
    fn heaps() -> Vec<Vec<f64>> {
        let centre = [(10.0, 0.0), (0.0, 0.0), (0.0, -10.0)];
        let at = |i: usize| (centre[i % 3], libm::sin(i as f64), libm::cos(7.0 * i as f64));
        vec![(0..90).map(|i| at(i).0.0 + at(i).1).collect(), (0..90).map(|i| at(i).0.1 + at(i).2).collect()]
    }

    #[test]
    fn heaps_are_found_whatever_the_seed_and_numbered_by_the_first_column() {
        for seed in 0..20 {
            let found = k_means(&heaps(), 3, seed);
            // The other two have means near 0 in the first column, so only the first is sure of its number.
            assert!((0..90).all(|i| (found[i] == 0) == (i % 3 == 0)), "{seed}");
            assert!((0..90).all(|i| found[i] == found[i % 3]), "{seed}");
        }
    }

    #[test]
    fn of_eight_starts_the_best_one_counts() {
        // Nine heaps for five clusters: many optima.
        let column = |spread: f64, step: f64| -> Vec<f64> {
            (0..180).map(|i| spread * libm::sin(f64::from(i % 9) * step) + libm::sin(f64::from(i) * step)).collect()
        };
        let columns = vec![column(8.0, 2.0), column(5.0, 3.7)];
        let squares = |of: &[u16]| {
            let mut centres = vec![vec![0.0; 2]; 5];
            move_centres(&columns, of, &mut centres);
            total(&(0..180).map(|row| nearest(&columns, &centres[of[row] as usize..][..1], row).1).collect::<Vec<_>>())
        };
        let mut poor = 0;
        for seed in 0..10 {
            let starts: Vec<f64> =
                (0..STARTS).map(|start| from(&columns, first_centres(&columns, 5, (seed, start))).0).collect();
            let least = starts.iter().copied().fold(f64::INFINITY, f64::min);
            assert!((squares(&k_means(&columns, 5, seed)) - least).abs() < 1e-9 * least, "{seed}");
            poor += usize::from(starts[0] > 1.05 * least);
        }
        assert!(poor > 0, "one start is as good here");
    }

    #[test]
    fn of_very_many_customers_all_are_nearest_to_the_means_that_the_starts_of_some_lead_to() {
        // Four heaps, the last one of every thousandth customer.
        let place = |i: usize| if i.is_multiple_of(1_000) { 3 } else { i % 3 };
        let column = |at: [f64; 4], turn: f64| -> Vec<f64> {
            (0..100_000).map(|i| at[place(i)] + libm::sin(turn * i as f64)).collect()
        };
        let columns = vec![column([20.0, 0.0, -20.0, 60.0], 1.3), column([0.0, 30.0, 0.0, 60.0], 0.7)];
        for seed in 0..3 {
            let found = k_means(&columns, 4, seed);
            // By the first column: the few, then 20, 0 and −20.
            assert!((0..100_000).all(|i| usize::from(found[i]) == (place(i) + 1) % 4), "{seed}");
        }
    }

    #[test]
    fn threads_change_nothing_and_equal_customers_are_one_cluster() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let columns: Vec<Vec<f64>> =
                (1..4).map(|c| (0..10_000).map(|i| libm::sin(f64::from(i * c))).collect()).collect();
            pool.install(|| k_means(&columns, 5, 3))
        };
        assert_eq!(run(1), run(4));
        assert_eq!(k_means(&[vec![2.0; 9]], 4, 1), [0; 9]);
        assert_eq!(k_means(&[Vec::new()], 4, 1), Vec::<u16>::new());
    }

    #[test]
    fn scales_have_mean_0_and_sd_1_and_what_is_unknown_is_the_mean() {
        let column = [Some(0.0), Some(4.0), None, Some(f64::INFINITY)];
        assert_eq!(scaled(&column, ClusterScale::Standard), [-1.0, 1.0, 0.0, 0.0]);
        assert!(scaled(&[Some(5.0), Some(100.0), Some(-1.0)], ClusterScale::Rank)[0].abs() < 1e-15);
        let log = scaled(&[Some(-9.0), Some(9.0)], ClusterScale::Log);
        assert_eq!(log, [-1.0, 1.0]);
        assert_eq!(scaled(&[Some(3.0), Some(3.0)], ClusterScale::Standard), [0.0, 0.0]);
    }
}
