//! The numbers of a whale curve and the sentences that say them.

use super::number::{LARGEST, count, money, percent, share, whole_percent};
use crate::{schema::money::Currency, units::MinorSum};

/// Above this multiple of the total a percentage of it says nothing, and money is shown.
const LARGEST_MULTIPLE: MinorSum = 100;

/// A straight line over this part of the customers leaves the curve by nothing that a whole percent shows.
const FINE: u64 = 100;

/// Customers from which "the best 20 %" is a group.
const ENOUGH_FOR_FIFTHS: u64 = 5;

/// A checked whale curve.
pub(super) struct Curve<'a> {
    /// (customers so far, their profit), strictly ascending, from nobody to the last point.
    pub(super) points: Vec<(u64, MinorSum)>,
    /// All customers.
    pub(super) customers: u64,
    losing: u64,
    /// Customers that earn something, and their profit, where it is told.
    pub(super) peak: Option<(u64, MinorSum)>,
    /// Profit of all.
    pub(super) total: MinorSum,
    /// Whether profits are shown as percentages of the total: it is positive, and they are not absurd.
    pub(super) in_percent: bool,
    currency: &'a Currency,
}

impl<'a> Curve<'a> {
    /// Points out of order and beyond the last customer are left out, losses beyond the customers after the peak too.
    ///
    /// * `peak`: customers that earn something, and their profit; `None` where it is not told, nor what is lost after it. It is
    ///   given, for points that leave some customers out may have none there.
    pub(super) fn new(
        points: &[(u64, MinorSum)],
        peak: Option<(u64, MinorSum)>,
        (customers, losing): (u64, u64),
        currency: &'a Currency,
    ) -> Self {
        let mut kept = vec![(0, 0)];
        for (rank, profit) in points.iter().filter(|point| point.0 <= customers) {
            if kept.last().is_some_and(|last| last.0 < *rank) {
                kept.push((*rank, (*profit).clamp(-LARGEST, LARGEST)));
            }
        }
        let peak = peak.filter(|peak| peak.0 <= customers).map(|(rank, profit)| {
            let at = kept.binary_search_by_key(&rank, |point| point.0).unwrap_or_else(|at| {
                kept.insert(at, (rank, profit.clamp(-LARGEST, LARGEST)));
                at
            });
            kept[at]
        });
        let total = kept.last().map_or(0, |last| last.1);
        let largest = kept.iter().map(|point| point.1.abs()).max().unwrap_or(0);
        let in_percent = total > 0 && largest <= total * LARGEST_MULTIPLE;
        let losing = losing.min(customers - peak.map_or(0, |peak| peak.0));
        Self { points: kept, customers, losing, peak, total, in_percent, currency }
    }

    /// Profit of the best so many customers, on the straight line between points.
    pub(super) fn profit_of(&self, rank: u64) -> f64 {
        let after = self.points.partition_point(|point| point.0 < rank).min(self.points.len() - 1);
        let ((x0, y0), (x1, y1)) = (self.points[after.saturating_sub(1)], self.points[after]);
        if x1 <= x0 || rank >= x1 {
            return y1 as f64;
        }
        y0 as f64 + (y1 - y0) as f64 * (rank.saturating_sub(x0) as f64 / (x1 - x0) as f64)
    }

    /// Customers before the first that loses money; those who earn nothing at all stand between the peak and here.
    pub(super) fn before_losses(&self) -> u64 {
        self.customers - self.losing
    }

    /// The points up to the peak, on to the first loss, and from there to the end; neighbours share a point. All of them in the
    /// first piece where the peak is not told.
    pub(super) fn pieces(&self) -> [Vec<(u64, f64)>; 3] {
        let edge = self.before_losses();
        let between = |from: u64, to: u64| {
            let inner = self.points.iter().filter(|point| from < point.0 && point.0 < to);
            let mut piece = vec![(from, self.profit_of(from))];
            piece.extend(inner.map(|point| (point.0, point.1 as f64)));
            piece.extend((from < to).then(|| (to, self.profit_of(to))));
            piece
        };
        match self.peak {
            Some((peak, _)) => [between(0, peak), between(peak, edge), between(edge, self.customers)],
            None => [between(0, self.customers), Vec::new(), Vec::new()],
        }
    }

    /// The best fifth of the customers, and what it earns, for curves in percent of enough customers that have a point there: a
    /// straight line over many customers would tell less.
    pub(super) fn best_fifth(&self) -> Option<(u64, f64)> {
        let rank = self.customers / 5;
        let after = self.points.partition_point(|point| point.0 < rank);
        let (before, after) = (self.points.get(after.saturating_sub(1))?.0, self.points.get(after)?.0);
        let is_known = after == rank || after - before <= self.customers / FINE;
        (self.in_percent && self.customers >= ENOUGH_FOR_FIFTHS && is_known).then(|| (rank, self.profit_of(rank)))
    }

    fn amount(&self, profit: MinorSum) -> String {
        if self.in_percent { percent(profit, self.total) } else { money(profit, self.currency) }
    }

    /// In one line and in two; `None` where the peak is not told.
    pub(super) fn peak_words(&self) -> Option<[Vec<String>; 2]> {
        let (rank, profit) = self.peak?;
        if rank == 0 {
            let words = vec!["no customer earns a profit".to_owned()];
            return Some([words.clone(), words]);
        }
        let height = format!("peak {}", self.amount(profit));
        let place = match rank {
            rank if rank == self.customers => "at the last customer".to_owned(),
            rank => format!("at the best {} of customers", share(rank, self.customers)),
        };
        Some([vec![format!("{height} {place}")], vec![height, place]])
    }

    /// In one line, two and three; `None` where the peak is not told.
    pub(super) fn loss_words(&self) -> Option<[Vec<String>; 3]> {
        let (_, peak) = self.peak?;
        if self.losing == 0 {
            let words = ["no customer".to_owned(), "loses money".to_owned()];
            return Some([vec![words.join(" ")], words.to_vec(), words.to_vec()]);
        }
        let (noun, verb) = if self.losing == 1 { ("customer", "loses") } else { ("customers", "lose") };
        let who = format!("{} {noun}", count(self.losing));
        let part = format!("({})", share(self.losing, self.customers));
        let what = format!("{verb} {}", money(peak.saturating_sub(self.total), self.currency));
        let whole = format!("{who} {part}");
        Some([vec![format!("{whole} {what}")], vec![whole, what.clone()], vec![who, part, what]])
    }

    /// What the line of the total says, in one line and in two.
    pub(super) fn total_words(&self) -> [Vec<String>; 2] {
        let total = money(self.total, self.currency);
        if self.in_percent {
            return [vec![format!("total 100 % = {total}")], vec!["total 100 %".to_owned(), format!("= {total}")]];
        }
        [vec![format!("total {total}")], vec!["total".to_owned(), total]]
    }

    /// What the best fifth earns, in words.
    pub(super) fn fifth_words(&self) -> Option<String> {
        let (_, profit) = self.best_fifth()?;
        Some(format!("best 20 % earn {}", whole_percent(profit.round_ties_even() as i128, self.total)))
    }

    /// Everything that the picture shows, for those who do not see it.
    pub(super) fn description(&self) -> String {
        if self.customers == 0 {
            return "There are no customers.".to_owned();
        }
        let noun = if self.customers == 1 { "customer" } else { "customers" };
        let words = self.peak_words().zip(self.loss_words());
        let words = words.map(|([peak, _], [loss, ..])| format!(" In words: {}; {}.", peak.concat(), loss.concat()));
        let fifth = self.fifth_words().map(|words| format!(" The {words} of the profit.")).unwrap_or_default();
        format!(
            "Cumulative profit of {} {noun}, most profitable first. Total: {}.{}{fifth}",
            count(self.customers),
            money(self.total, self.currency),
            words.unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars() -> Currency {
        Currency { code: "USD".to_owned(), exponent: 2 }
    }

    /// REFERENCE: the five customers of Spring Distribution, cents, as in the tests of the equity stage.
    const SPRING: [(u64, MinorSum); 5] =
        [(1, 4_185_600), (2, 8_057_600), (3, 9_212_100), (4, 9_413_300), (5, 9_078_700)];

    #[test]
    fn spring_distribution_is_told_in_its_published_numbers() {
        let dollars = dollars();
        let curve = Curve::new(&SPRING, Some((4, 9_413_300)), (5, 1), &dollars);
        assert_eq!(curve.peak_words().unwrap()[0], ["peak 103.7 % at the best 80 % of customers"]);
        assert_eq!(curve.loss_words().unwrap()[1], ["1 customer (20 %)", "loses 3,346 USD"]);
        assert_eq!(curve.total_words()[0], ["total 100 % = 90,787 USD"]);
        assert_eq!(curve.fifth_words().unwrap(), "best 20 % earn 46 %");
        assert_eq!(
            curve.description(),
            "Cumulative profit of 5 customers, most profitable first. Total: 90,787 USD. In words: \
             peak 103.7 % at the best 80 % of customers; 1 customer (20 %) loses 3,346 USD. \
             The best 20 % earn 46 % of the profit."
        );
    }

    #[test]
    fn a_base_that_loses_money_is_told_in_money() {
        let dollars = dollars();
        let curve = Curve::new(&[(1, 10_000), (10, -350_000)], Some((1, 10_000)), (10, 9), &dollars);
        assert!(!curve.in_percent);
        assert_eq!(curve.peak_words().unwrap()[0], ["peak 100 USD at the best 10 % of customers"]);
        assert_eq!(curve.loss_words().unwrap()[0], ["9 customers (90 %) lose 3,600 USD"]);
        assert_eq!(curve.total_words()[0], ["total −3,500 USD"]);
        assert_eq!(curve.fifth_words(), None);
    }

    #[test]
    fn a_total_of_next_to_nothing_is_told_in_money() {
        let dollars = dollars();
        let curve = Curve::new(&[(1, 1_000_000), (2, 1)], Some((1, 1_000_000)), (2, 1), &dollars);
        assert_eq!(curve.peak_words().unwrap()[1], ["peak 10,000 USD", "at the best 50 % of customers"]);
    }

    #[test]
    fn customers_who_earn_nothing_stand_between_peak_and_losses() {
        let dollars = dollars();
        let curve = Curve::new(&[(2, 500), (8, 500), (10, 300)], Some((2, 500)), (10, 2), &dollars);
        let [up, flat, down] = curve.pieces();
        assert_eq!(up, [(0, 0.0), (2, 500.0)]);
        assert_eq!(flat, [(2, 500.0), (8, 500.0)]);
        assert_eq!(down, [(8, 500.0), (10, 300.0)]);
    }

    #[test]
    fn profit_between_points_lies_on_the_straight_line() {
        let dollars = dollars();
        let curve = Curve::new(&[(10, 1_000), (20, 1_400)], Some((20, 1_400)), (20, 0), &dollars);
        assert_eq!(
            [0, 5, 10, 15, 20, 99].map(|rank| curve.profit_of(rank) as i64),
            [0, 500, 1_000, 1_200, 1_400, 1_400]
        );
    }

    #[test]
    fn points_out_of_order_or_beyond_the_last_customer_are_left_out() {
        let dollars = dollars();
        let points = [(0, 7), (2, 10), (1, 5), (2, 6), (3, i128::MAX), (9, 1)];
        let curve = Curve::new(&points, Some((3, 5)), (3, 99), &dollars);
        assert_eq!(curve.points, [(0, 0), (2, 10), (3, LARGEST)]);
        assert_eq!((curve.before_losses(), curve.peak), (3, Some((3, LARGEST))));
        assert_eq!(Curve::new(&points, Some((4, 5)), (3, 0), &dollars).peak, None, "no such customer");
    }

    #[test]
    fn a_peak_between_the_points_is_told_as_it_is_and_one_that_is_not_told_is_in_no_words() {
        let dollars = dollars();
        // Fifty customers, the 44 best earn 1,060; points of twenty do not have them.
        let points = [(20, 80_000), (40, 104_000), (50, 100_000)];
        let told = Curve::new(&points, Some((44, 106_000)), (50, 6), &dollars);
        assert_eq!(told.peak_words().unwrap()[0], ["peak 106 % at the best 88 % of customers"]);
        assert_eq!(told.loss_words().unwrap()[0], ["6 customers (12 %) lose 60 USD"]);
        let hidden = Curve::new(&points, None, (50, 6), &dollars);
        assert_eq!((hidden.peak_words(), hidden.loss_words()), (None, None));
        assert_eq!(hidden.description(), "Cumulative profit of 50 customers, most profitable first. Total: 1,000 USD.");
        assert_eq!(hidden.best_fifth(), None, "no point is near the tenth customer, and 40 % is too little for it");
        let fine = Curve::new(&[(10, 60_000), (20, 80_000), (50, 100_000)], None, (50, 6), &dollars);
        assert_eq!(fine.fifth_words().unwrap(), "best 20 % earn 60 %");
        let [whole, flat, down] = hidden.pieces();
        assert_eq!((whole.len(), flat.len(), down.len()), (4, 0, 0));
    }
}
