//! Portfolio analysis: present profit × future potential, and the way to serve a customer that would earn most.

use crate::{
    schema::portfolio::{AnalysisSettings, PortfolioGroup},
    units::Minor,
};

/// The growth potential from which on a customer has a future when the config does not say: the lower median of those above
/// 0; `None` where nobody has any.
#[must_use]
pub fn future_threshold(growth: &[Minor]) -> Option<Minor> {
    let mut above: Vec<Minor> = growth.iter().copied().filter(|value| *value > 0).collect();
    let middle = above.len().checked_sub(1)? / 2;
    Some(*above.select_nth_unstable(middle).1)
}

/// The group of a customer.
///
/// | | `future >= future_at_least` | else |
/// |---|---|---|
/// | `present > present_above` | invest | nurture |
/// | else | re-engineer | re-engineer where `re_engineered > present_above`, else let go |
///
/// * `present`: profit before acquisition cost. * `re_engineered`: profit with the best way to serve it, where one is better.
/// * `future_at_least`: as settled by [`future_threshold`]; `None` = nobody has a future.
///
/// Source: Buttle & Maklan, Customer Relationship Management, 3rd ed. (2015), ch. 5 (invest, nurture, re-engineer, sack).
#[must_use]
pub fn group(
    present: Minor,
    future: Minor,
    re_engineered: Option<Minor>,
    AnalysisSettings { present_above, future_at_least }: AnalysisSettings,
) -> PortfolioGroup {
    let later = future_at_least.is_some_and(|least| future >= least);
    let could = re_engineered.is_some_and(|profit| profit > present_above);
    match (present > present_above, later) {
        (true, true) => PortfolioGroup::Invest,
        (true, false) => PortfolioGroup::Nurture,
        (false, true) => PortfolioGroup::ReEngineer,
        (false, false) if could => PortfolioGroup::ReEngineer,
        (false, false) => PortfolioGroup::LetGo,
    }
}

/// The way to serve a customer that earns most and more than now, as a position in `ways`, with its profit; of equal ones the
/// first.
///
/// * `ways`: profit under each; `None` where it is not known.
#[must_use]
pub fn best_way(present: Minor, ways: impl IntoIterator<Item = Option<Minor>>) -> Option<(usize, Minor)> {
    let mut best = None;
    for (number, profit) in ways.into_iter().enumerate() {
        let Some(profit) = profit else { continue };
        if profit > best.map_or(present, |(_, profit)| profit) {
            best = Some((number, profit));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CUT: AnalysisSettings = AnalysisSettings { present_above: 0, future_at_least: Some(100) };

    #[test]
    fn the_four_groups_are_where_the_table_has_them() {
        assert_eq!(group(1, 100, None, CUT), PortfolioGroup::Invest);
        assert_eq!(group(1, 99, None, CUT), PortfolioGroup::Nurture);
        assert_eq!(group(0, 100, None, CUT), PortfolioGroup::ReEngineer);
        assert_eq!(group(0, 99, Some(1), CUT), PortfolioGroup::ReEngineer);
        assert_eq!(group(0, 99, Some(0), CUT), PortfolioGroup::LetGo);
        assert_eq!(group(9, 99, None, AnalysisSettings { future_at_least: None, ..CUT }), PortfolioGroup::Nurture);
    }

    #[test]
    fn the_best_way_is_better_than_now_and_the_first_of_equals() {
        assert_eq!(best_way(-5, [Some(-5), None, Some(3), Some(3)]), Some((2, 3)));
        assert_eq!(best_way(5, [Some(5), Some(-3)]), None);
    }

    #[test]
    fn the_median_is_of_those_who_have_a_future() {
        assert_eq!(future_threshold(&[0, -5, 40, 10, 30, 20]), Some(20));
        assert_eq!(future_threshold(&[0, -5]), None);
    }

    proptest! {
        #[test]
        fn a_better_customer_never_falls_into_a_worse_group(
            present in -9..9_i64, future in 90..110_i64, could in prop::option::of(-9..9_i64), more in (0..9_i64, 0..9_i64, 0..9_i64),
        ) {
            let worse = group(present, future, could, CUT);
            let better = group(present + more.0, future + more.1, could.map(|profit| profit + more.2), CUT);
            prop_assert!(better == worse || worse == PortfolioGroup::LetGo || better == PortfolioGroup::Invest
                // Profitable now is no longer to be re-engineered.
                || (worse == PortfolioGroup::ReEngineer && better == PortfolioGroup::Nurture));
        }
    }
}
