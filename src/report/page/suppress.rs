//! Small groups: whose figures are not told.
//!
//! A figure of a few customers is nearly a figure of one. So groups below a limit are hidden, and where the groups sum
//! to a total that is told, a second one with them, or the hidden one would be the difference.
//!
//! Source: Hundepool et al., Statistical Disclosure Control (2012), section 4.2: primary and secondary suppression.

/// Which groups of a partition are hidden.
///
/// * `counts`: customers of every group; the groups sum to a total that is told. Groups without customers hide nothing.
/// * `smallest`: fewest customers of a group that is told.
pub(crate) fn hidden(counts: &[u64], smallest: u64) -> Vec<bool> {
    hidden_beside(counts, smallest, |_| false)
}

/// The same, where some are hidden for another reason.
///
/// * `already`: whether a group is.
pub(crate) fn hidden_beside(counts: &[u64], smallest: u64, already: impl Fn(usize) -> bool) -> Vec<bool> {
    let small = |(group, count): (usize, &u64)| *count > 0 && *count < smallest || already(group);
    let mut hidden: Vec<bool> = counts.iter().enumerate().map(small).collect();
    if hidden.iter().filter(|hidden| **hidden).count() == 1 {
        let told = (0..counts.len()).filter(|group| counts[*group] > 0 && !hidden[*group]);
        if let Some(second) = told.min_by_key(|group| counts[*group]) {
            hidden[second] = true;
        }
    }
    hidden
}

/// Points of a running sum without those that would tell fewer than `smallest` customers alone.
///
/// * `points`: (customers so far, their sum), ascending. The highest one stays where it may, and the last one; a point
///   nearer to one that is kept than `smallest` customers is left out.
pub(crate) fn coarse(points: &[(u64, i128)], smallest: u64) -> Vec<(u64, i128)> {
    let Some(last) = points.last() else { return Vec::new() };
    let highest = points.iter().copied().reduce(|best, point| if point.1 > best.1 { point } else { best });
    let peak = highest.filter(|peak| peak.0 >= smallest && peak.0 + smallest <= last.0);
    let mut kept: Vec<(u64, i128)> = Vec::new();
    let mut before = 0;
    for point in points {
        let after = peak.filter(|peak| before < peak.0).map_or(last.0, |peak| peak.0);
        let is_free = point.0 >= before + smallest && point.0 + smallest <= after;
        if is_free || Some(*point) == peak {
            kept.push(*point);
            before = point.0;
        }
    }
    kept.push(*last);
    kept
}

/// Whether the peak of a whale curve may be told, and with the total what is lost after it.
///
/// * `peak`: customers that earn something. * `losing`: those with a loss. Neither may be too few, nor those after the peak.
pub(crate) fn tells_peak(customers: u64, peak: u64, losing: u64, smallest: u64) -> bool {
    [peak, customers.saturating_sub(peak), losing].iter().all(|group| *group == 0 || *group >= smallest)
}

/// Whether a number of customers may be told where that of all is: neither they nor the others are too few.
pub(crate) fn tells_part(part: u64, whole: u64, smallest: u64) -> bool {
    [part, whole.saturating_sub(part)].iter().all(|group| *group == 0 || *group >= smallest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_lone_small_group_takes_the_next_one_with_it() {
        assert_eq!(hidden(&[500, 3, 40, 0], 10), [false, true, true, false]);
        assert_eq!(hidden(&[500, 3, 4], 10), [false, true, true]);
        assert_eq!(hidden(&[500, 40], 10), [false, false]);
        assert_eq!(hidden(&[3], 10), [true]);
        assert_eq!(hidden(&[3, 1], 1), [false, false]);
    }

    #[test]
    fn points_of_a_few_customers_are_left_out() {
        let points: Vec<(u64, i128)> = (1..=25).map(|rank| (rank, i128::from(rank) * 7)).collect();
        assert_eq!(coarse(&points, 10), [(10, 70), (25, 175)]);
        // The peak at 13 is told; 10 to 12 and 14 to 15 would be too near to it.
        let peaked: Vec<(u64, i128)> = (1..=25).map(|rank| (rank, 100 - (i128::from(rank) - 13).pow(2))).collect();
        assert_eq!(coarse(&peaked, 10), [(13, 100), (25, -44)]);
        assert_eq!(coarse(&peaked, 6), [(6, 51), (13, 100), (19, 64), (25, -44)]);
        assert_eq!(coarse(&points, 1).len(), 25);
        assert_eq!(coarse(&[], 10), []);
    }

    #[test]
    fn a_peak_tells_of_those_who_earn_of_those_who_lose_and_of_those_between() {
        assert!(tells_peak(60, 40, 20, 10) && tells_peak(60, 60, 0, 10) && tells_peak(60, 0, 60, 10));
        assert!(!tells_peak(60, 54, 6, 10), "six lose");
        assert!(!tells_peak(60, 3, 57, 10), "three earn");
        assert!(!tells_peak(60, 57, 0, 10), "three earn nothing");
        assert!(!tells_peak(60, 40, 6, 10), "six lose, fourteen earn nothing");
        assert!(tells_peak(5, 3, 1, 1));
    }

    proptest! {
        #[test]
        fn what_is_hidden_is_never_one_small_group_alone(
            counts in prop::collection::vec(0_u64..40, 1..12), smallest in 1_u64..20,
        ) {
            let hidden = hidden(&counts, smallest);
            let sum: u64 = counts.iter().zip(&hidden).filter(|(_, hidden)| **hidden).map(|(count, _)| count).sum();
            let groups = hidden.iter().filter(|hidden| **hidden).count();
            let others = counts.iter().filter(|count| **count > 0).count();
            prop_assert!(groups != 1 || others == 1);
            prop_assert!(counts.iter().zip(&hidden).all(|(count, hidden)| *hidden || *count == 0 || *count >= smallest));
            prop_assert!((sum > 0) == (groups > 0));
        }
    }
}
