//! Payment behaviour: how late customers pay, whether it gets worse, and the grade that it makes.

use crate::{
    numeric::decimal::{Decimal, power_of_ten},
    schema::{
        period::Period,
        portfolio::{CreditSettings, Payment},
        tables::Receivable,
    },
    units::{Minor, QUANTITY_SCALE},
};

/// Records that a trend is drawn through, the newest ones.
const MOST_RECORDS: usize = 24;

/// Records that make a trend.
const LEAST_RECORDS: usize = 3;

/// Level, trend and grade of one customer.
///
/// With weights `w = 2^(−(last − period) / half-life)`:
///
/// * days late, level: `Σ w · days / Σ w` over the periods in which they are known;
/// * trend: the weighted median of the slopes between every two periods (days a period), weights `w_i · w_j` (Theil–Sen): one
///   bad period does not make it. From three periods on, of the newest 24;
/// * overdue and disputed share: `Σ w · overdue / Σ w · balance` over the balances of which it is known; write-off share:
///   `Σ write-offs / net revenue`, less what was recovered;
/// * grade: the worst that a level has on its own, one worse where the trend reaches `worsening`, E at worst. A level that is a
///   cut is up to it: `Σ w (x − cut · y) <= 0` for `Σ w x / Σ w y`, with the brackets exact.
///
/// * `records`: of the customer, one a period, ascending. * `last`: the run's last period. * `revenue`: net revenue to date.
///
/// `None` of what the records do not tell; no grade where they tell nothing.
///
/// Sources: Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 63 (1968); Jaeckel, Annals of Mathematical
/// Statistics 43 (1972), for weights.
#[must_use]
pub fn payment(records: &[Receivable], last: Period, revenue: Minor, setting: &CreditSettings) -> Payment {
    let half_life = setting.half_life.to_float();
    let weight = |record: &Receivable| libm::exp2(-(f64::from(last) - f64::from(record.period)).max(0.0) / half_life);
    let is_late = |record: &&Receivable| record.late_rows > 0;
    let late: Vec<(f64, f64, f64)> = records
        .iter()
        .filter(is_late)
        .map(|record| {
            let days = record.days_late as f64 / f64::from(record.late_rows) / QUANTITY_SCALE as f64;
            (f64::from(record.period), days, weight(record))
        })
        .collect();
    let weights: f64 = late.iter().map(|(_, _, weight)| weight).sum();
    let days_late = (weights > 0.0).then(|| late.iter().map(|(_, days, weight)| weight * days).sum::<f64>() / weights);
    let trend = trend(&late[late.len().saturating_sub(MOST_RECORDS)..]);
    let days_up_to = |cut: &i64| {
        let above = |record: &Receivable| {
            let days = record.days_late - i128::from(*cut) * i128::from(record.late_rows);
            weight(record) * (days as f64 / f64::from(record.late_rows))
        };
        records.iter().filter(is_late).map(above).sum::<f64>() <= 0.0
    };
    let share = |of: Share| {
        let sum = |at: usize| -> f64 {
            records.iter().filter_map(|record| Some(weight(record) * of(record)?[at] as f64)).sum()
        };
        let owed = sum(1);
        (owed > 0.0).then(|| sum(0) / owed)
    };
    let share_up_to = |of: Share, cut: &Decimal| {
        let above = |record: &Receivable| Some(weight(record) * above(of(record)?, *cut) as f64);
        records.iter().filter_map(above).sum::<f64>() <= 0.0
    };
    let (of_overdue, of_disputed): (Share, Share) = (|record| record.overdue, |record| record.disputed);
    let (overdue_share, disputed_share) = (share(of_overdue), share(of_disputed));
    let lost = records.iter().map(|record| i128::from(record.write_off)).sum::<i128>().max(0);
    let write_off_share = if lost == 0 {
        records.iter().any(|record| record.has_write_off).then_some(0.0)
    } else {
        Some(if revenue > 0 { lost as f64 / revenue as f64 } else { f64::INFINITY })
    };
    let levels = [
        days_late.map(|_| grade(&setting.days_late, days_up_to)),
        overdue_share.map(|_| grade(&setting.overdue_share, |cut| share_up_to(of_overdue, cut))),
        disputed_share.map(|_| grade(&setting.disputed_share, |cut| share_up_to(of_disputed, cut))),
        write_off_share.map(|level| {
            let is_up_to = |cut: &Decimal| level.is_finite() && above([lost, i128::from(revenue)], *cut) <= 0;
            grade(&setting.write_off_share, is_up_to)
        }),
    ];
    // Slopes of days that no float holds are a little off.
    let worsening = setting.worsening as f64 / QUANTITY_SCALE as f64;
    let worsens = trend.is_some_and(|trend| trend >= worsening - 1e-9 * worsening.abs());
    let grade = levels.into_iter().flatten().max().map(|grade| (grade + u8::from(worsens)).min(4));
    Payment { periods: records.len() as u32, days_late, trend, overdue_share, disputed_share, write_off_share, grade }
}

/// What a record has of a thing, and what it is a share of.
type Share = fn(&Receivable) -> Option<[i128; 2]>;

/// How far a part is above `cut` times a whole, in units of the last digit of the cut.
fn above([part, whole]: [i128; 2], cut: Decimal) -> i128 {
    let scale = power_of_ten(cut.scale).unwrap_or(i128::MAX);
    part.saturating_mul(scale).saturating_sub(whole.saturating_mul(cut.mantissa))
}

/// 0 = A to 4 = E: the first cut that the level does not pass.
fn grade<T>(cuts: &[T; 4], is_up_to: impl Fn(&T) -> bool) -> u8 {
    cuts.iter().position(is_up_to).unwrap_or(4) as u8
}

/// Weighted lower median of the slopes between every two points.
fn trend(points: &[(f64, f64, f64)]) -> Option<f64> {
    if points.len() < LEAST_RECORDS {
        return None;
    }
    let mut slopes: Vec<(f64, f64)> = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
    for (number, later) in points.iter().enumerate() {
        let slope = |earlier: &(f64, f64, f64)| ((later.1 - earlier.1) / (later.0 - earlier.0), later.2 * earlier.2);
        slopes.extend(points[..number].iter().map(slope));
    }
    slopes.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let half = slopes.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut so_far = 0.0;
    let middle = slopes.iter().find(|(_, weight)| {
        so_far += weight;
        so_far >= half
    });
    middle.or(slopes.last()).map(|(slope, _)| *slope)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn setting() -> CreditSettings {
        let share = |mantissa| Decimal { mantissa, scale: 2 };
        CreditSettings {
            days_late: [0, 15, 30, 60].map(|days| days * QUANTITY_SCALE),
            overdue_share: [5, 15, 30, 60].map(share),
            disputed_share: [5, 15, 30, 60].map(share),
            write_off_share: [0, 1, 3, 10].map(share),
            worsening: 5 * QUANTITY_SCALE,
            half_life: Decimal { mantissa: 1, scale: 0 },
            default_probability: [1, 2, 3, 4, 5].map(share),
        }
    }

    fn late(period: Period, days: i128) -> Receivable {
        Receivable { period, days_late: days * i128::from(QUANTITY_SCALE), late_rows: 1, ..Receivable::default() }
    }

    #[test]
    fn levels_weigh_the_newest_most_and_one_outlier_makes_no_trend() {
        // Half-life of one period: weights 1/8, 1/4, 1/2, 1.
        let found = payment(&[late(0, 8), late(1, 8), late(2, 8), late(3, 60)], 3, 1, &setting());
        assert!((found.days_late.unwrap() - (7.0 + 60.0) / 1.875).abs() < 1e-12);
        // Slopes 0, 0, 0 of weights 1/32, 1/16, 1/8 and 52, 26, 17.3 of 1/2, 1/4, 1/8: the middle of 1.09375 is at 26.
        assert!((found.trend.unwrap() - 26.0).abs() < 1e-12);
        assert_eq!(found.grade, Some(4), "35.7 days are D, and it gets worse");
        let calm = payment(&[late(0, 60), late(1, 8), late(2, 8), late(3, 8)], 3, 1, &setting());
        assert_eq!((calm.trend, calm.grade), (Some(0.0), Some(1)));
        assert_eq!(payment(&[late(0, 20), late(3, 20)], 3, 1, &setting()).trend, None);
    }

    #[test]
    fn the_worst_of_the_levels_is_the_grade_and_what_is_unknown_has_none() {
        let mut row = late(0, 0);
        assert_eq!(payment(&[row], 0, 1_000, &setting()).grade, Some(0));
        row.disputed = Some([200, 1_000]);
        assert_eq!(payment(&[row], 0, 1_000, &setting()).grade, Some(2), "a fifth is disputed");
        (row.write_off, row.has_write_off) = (50, true);
        assert_eq!(payment(&[row], 0, 1_000, &setting()).grade, Some(3), "5 % of sales were written off");
        assert_eq!(payment(&[row], 0, 0, &setting()).grade, Some(4));
        let nothing = Receivable::default();
        assert_eq!(payment(&[nothing], 0, 1, &setting()), Payment { periods: 1, ..Payment::default() });
    }

    #[test]
    fn a_level_that_is_a_cut_is_up_to_it_whatever_floats_make_of_it() {
        let setting = CreditSettings { half_life: Decimal { mantissa: 4, scale: 0 }, ..setting() };
        for periods in 1..40 {
            let of = |record: &dyn Fn(Period) -> Receivable| {
                let records: Vec<Receivable> = (0..periods).map(record).collect();
                payment(&records, periods - 1, 1_000, &setting).grade
            };
            assert_eq!(of(&|period| late(period, 30)), Some(2), "{periods} periods of 30 days");
            let overdue = |period| Receivable { period, overdue: Some([15, 100]), ..Receivable::default() };
            assert_eq!(of(&overdue), Some(1), "{periods} periods of 15 %");
        }
    }

    #[test]
    fn what_is_not_known_of_a_balance_is_not_zero_of_it_and_what_was_recovered_is_not_lost() {
        let of = |period, overdue| Receivable { period, overdue, ..Receivable::default() };
        let found = payment(&[of(0, None), of(1, Some([500, 1_000]))], 1, 1_000, &setting());
        assert_eq!((found.overdue_share, found.grade), (Some(0.5), Some(3)));
        let lost = |period, write_off| Receivable { period, write_off, has_write_off: true, ..Receivable::default() };
        let found = payment(&[lost(0, 100), lost(1, -100)], 1, 1_000, &setting());
        assert_eq!((found.write_off_share, found.grade), (Some(0.0), Some(0)));
        let found = payment(&[lost(0, 100), lost(1, -70)], 1, 1_000, &setting());
        assert_eq!((found.write_off_share, found.grade), (Some(0.03), Some(2)), "3 % is the cut itself");
    }

    proptest! {
        #[test]
        fn who_pays_later_never_has_a_better_grade(days in prop::collection::vec(0..90_i128, 1..6), more in 0..30_i128) {
            let of = |more: i128| {
                let rows: Vec<Receivable> = (0..).zip(&days).map(|(period, days)| late(period, days + more)).collect();
                payment(&rows, rows.len() as i32, 1, &setting())
            };
            prop_assert!(of(more).grade >= of(0).grade);
            prop_assert!(of(more).days_late >= of(0).days_late);
        }
    }
}
