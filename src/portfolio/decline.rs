//! What changed between a year in which a customer was profitable and one in which it is not.

use crate::{
    numeric::decimal::divide_half_even,
    units::{Minor, Quantity},
};

/// A customer's year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Year {
    /// What was bought, in any unit that counts volume: units, else orders.
    pub volume: Quantity,
    /// Net revenue.
    pub revenue: Minor,
    /// Product cost.
    pub product_cost: Minor,
    /// Cost to serve: of activities, but of those on products.
    pub cost_to_serve: Minor,
    /// Capital charge and bad debt: what late payment costs.
    pub lateness: Minor,
    /// Commissions.
    pub other: Minor,
}

/// Parts of the change of profit, which add up to it exactly. Above zero the part raised profit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// More or less bought, at the price and product cost of the earlier year.
    pub volume: Minor,
    /// Other prices, discounts and mix, on what is bought now.
    pub price: Minor,
    /// Other product cost of what is bought now.
    pub product_cost: Minor,
    /// Other cost of activities.
    pub cost_to_serve: Minor,
    /// Other cost of late payment.
    pub lateness: Minor,
    /// Other commissions.
    pub other: Minor,
}

impl Year {
    /// Profit before acquisition cost.
    #[must_use]
    pub fn profit(&self) -> Option<Minor> {
        let costs = [self.product_cost, self.cost_to_serve, self.lateness, self.other];
        costs.iter().try_fold(self.revenue, |left, cost| left.checked_sub(*cost))
    }
}

/// The change from one year to another.
///
/// With `q` the volume, `R` revenue and `C` product cost of the earlier (0) and the later (1) year:
///
/// * volume `= (R₀ q₁/q₀ − R₀) − (C₀ q₁/q₀ − C₀)`
/// * price `= R₁ − R₀ q₁/q₀`, product cost `= −(C₁ − C₀ q₁/q₀)`
/// * cost to serve, lateness, other: earlier less later.
///
/// The two products are rounded once each, half to even, so the parts add up to the change of profit to the minor unit. Without
/// a volume in the earlier year nothing is of volume.
///
/// `None` when a part leaves 64 bits.
///
/// Source: variance analysis by price and volume; Horngren, Datar & Rajan, Cost Accounting (2012), ch. 7 and 14.
#[must_use]
pub fn change(before: &Year, now: &Year) -> Option<Change> {
    let scaled = |money: Minor| -> Option<Minor> {
        if before.volume <= 0 {
            return Some(money);
        }
        let product = i128::from(money) * i128::from(now.volume.max(0));
        Minor::try_from(divide_half_even(product, i128::from(before.volume))).ok()
    };
    let (revenue, cost) = (scaled(before.revenue)?, scaled(before.product_cost)?);
    Some(Change {
        volume: revenue.checked_sub(before.revenue)?.checked_sub(cost.checked_sub(before.product_cost)?)?,
        price: now.revenue.checked_sub(revenue)?,
        product_cost: cost.checked_sub(now.product_cost)?,
        cost_to_serve: before.cost_to_serve.checked_sub(now.cost_to_serve)?,
        lateness: before.lateness.checked_sub(now.lateness)?,
        other: before.other.checked_sub(now.other)?,
    })
}

impl Change {
    /// All parts.
    #[must_use]
    pub fn parts(&self) -> [Minor; 6] {
        [self.volume, self.price, self.product_cost, self.cost_to_serve, self.lateness, self.other]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_as_much_at_a_lower_price_and_dearer_to_serve() {
        let before = Year { volume: 100, revenue: 5_000, product_cost: 3_000, cost_to_serve: 400, ..Year::default() };
        let now = Year { volume: 50, revenue: 2_000, product_cost: 1_600, cost_to_serve: 900, lateness: 30, other: 0 };
        // 50 at 50 and 30 would have brought 2,500 and cost 1,500.
        let expected =
            Change { volume: -1_000, price: -500, product_cost: -100, cost_to_serve: -500, lateness: -30, other: 0 };
        assert_eq!(change(&before, &now), Some(expected));
        let gone = change(&before, &Year { cost_to_serve: 10, ..Year::default() }).unwrap();
        assert_eq!((gone.volume, gone.price, gone.cost_to_serve), (-2_000, 0, 390));
    }

    proptest! {
        #[test]
        fn the_parts_are_the_change_of_profit_to_the_minor_unit(
            before in prop::array::uniform6(-99_999..99_999_i64), now in prop::array::uniform6(-99_999..99_999_i64),
        ) {
            let year = |[volume, revenue, product_cost, cost_to_serve, lateness, other]: [i64; 6]| {
                Year { volume, revenue, product_cost, cost_to_serve, lateness, other }
            };
            let (before, now) = (year(before), year(now));
            let parts: i64 = change(&before, &now).unwrap().parts().iter().sum();
            prop_assert_eq!(parts, now.profit().unwrap() - before.profit().unwrap());
        }
    }
}
