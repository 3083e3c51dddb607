//! Two runs side by side: who came, who left, and what changed the profit of those who stayed.
//!
//! ```
//! use whalecurve::compare::runs::{Account, Movement};
//!
//! let account = |revenue, product_cost, cost_to_serve| Account { revenue, product_cost, cost_to_serve, ..Account::default() };
//! let mut all = Movement::default();
//! all.add(Some(&account(100, 40, 10)), Some(&account(120, 50, 30)));
//! all.add(Some(&account(50, 20, 40)), None);
//! all.add(None, Some(&account(30, 10, 5)));
//! assert_eq!((all.before, all.came, all.left, all.after), (40, 15, 10, 55));
//! assert_eq!((all.revenue, all.product_cost, all.cost_to_serve), (20, -10, -20));
//! assert_eq!(all.before + all.came + all.left + all.revenue + all.product_cost + all.cost_to_serve, all.after);
//! ```

use crate::units::{Minor, MinorSum};

/// What a customer brought and cost, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Net revenue.
    pub revenue: Minor,
    /// Products, activities on products included.
    pub product_cost: Minor,
    /// Orders, the customer, and what is pushed down to it.
    pub cost_to_serve: Minor,
    /// Capital, bad debt, commissions, acquisition.
    pub other_cost: Minor,
    /// Expected value; 0 where it is not known.
    pub expected_value: Minor,
}

impl Account {
    /// `revenue - product_cost - cost_to_serve - other_cost`: economic profit.
    #[must_use]
    pub fn profit(&self) -> MinorSum {
        let cost = [self.product_cost, self.cost_to_serve, self.other_cost].map(MinorSum::from);
        MinorSum::from(self.revenue) - cost.iter().sum::<MinorSum>()
    }
}

/// How economic profit went from one run's to another's; a mergeable sum over customers.
///
/// `before + came + left + revenue + product_cost + cost_to_serve + other_cost = after`, exactly; costs that rose are
/// negative, and `left` is minus what those who left had earned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Movement {
    /// Customers of the earlier run.
    pub customers_before: u64,
    /// Customers of the later run.
    pub customers_after: u64,
    /// Customers of the later run alone.
    pub customers_came: u64,
    /// Customers of the earlier run alone.
    pub customers_left: u64,
    /// Customers who earned or broke even before and lose money now.
    pub turned_losing: u64,
    /// Customers who lost money before and earn or break even now.
    pub turned_earning: u64,
    /// Economic profit before.
    pub before: MinorSum,
    /// Profit of those who came.
    pub came: MinorSum,
    /// Minus the profit of those who left.
    pub left: MinorSum,
    /// Change of net revenue of those who stayed.
    pub revenue: MinorSum,
    /// Minus the change of their product cost.
    pub product_cost: MinorSum,
    /// Minus the change of their cost to serve.
    pub cost_to_serve: MinorSum,
    /// Minus the change of their other cost.
    pub other_cost: MinorSum,
    /// Economic profit after.
    pub after: MinorSum,
    /// Expected value before.
    pub value_before: MinorSum,
    /// Expected value after.
    pub value_after: MinorSum,
}

impl Movement {
    /// Adds a customer, as each run has it.
    pub fn add(&mut self, before: Option<&Account>, after: Option<&Account>) {
        self.customers_before += u64::from(before.is_some());
        self.customers_after += u64::from(after.is_some());
        let profit = |account: Option<&Account>| account.map_or(0, Account::profit);
        let value = |account: Option<&Account>| account.map_or(0, |account| MinorSum::from(account.expected_value));
        self.before += profit(before);
        self.after += profit(after);
        self.value_before += value(before);
        self.value_after += value(after);
        match (before, after) {
            (None, Some(_)) => {
                self.customers_came += 1;
                self.came += profit(after);
            }
            (Some(_), None) => {
                self.customers_left += 1;
                self.left -= profit(before);
            }
            (Some(before), Some(after)) => self.add_stayed(before, after),
            (None, None) => {}
        }
    }

    fn add_stayed(&mut self, before: &Account, after: &Account) {
        let change = |of: fn(&Account) -> Minor| MinorSum::from(of(after)) - MinorSum::from(of(before));
        self.revenue += change(|account| account.revenue);
        self.product_cost -= change(|account| account.product_cost);
        self.cost_to_serve -= change(|account| account.cost_to_serve);
        self.other_cost -= change(|account| account.other_cost);
        self.turned_losing += u64::from(before.profit() >= 0 && after.profit() < 0);
        self.turned_earning += u64::from(before.profit() < 0 && after.profit() >= 0);
    }

    /// Adds the customers of another one.
    pub fn combine(&mut self, other: &Self) {
        self.customers_before += other.customers_before;
        self.customers_after += other.customers_after;
        self.customers_came += other.customers_came;
        self.customers_left += other.customers_left;
        self.turned_losing += other.turned_losing;
        self.turned_earning += other.turned_earning;
        self.before += other.before;
        self.came += other.came;
        self.left += other.left;
        self.revenue += other.revenue;
        self.product_cost += other.product_cost;
        self.cost_to_serve += other.cost_to_serve;
        self.other_cost += other.other_cost;
        self.after += other.after;
        self.value_before += other.value_before;
        self.value_after += other.value_after;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account() -> impl Strategy<Value = Account> {
        let money = -1_000_000_000_000_i64..1_000_000_000_000;
        (money.clone(), money.clone(), money.clone(), money.clone(), money).prop_map(
            |(revenue, product_cost, cost_to_serve, other_cost, expected_value)| Account {
                revenue,
                product_cost,
                cost_to_serve,
                other_cost,
                expected_value,
            },
        )
    }

    proptest! {
        #[test]
        fn steps_lead_from_before_to_after_and_slices_combine(
            customers in prop::collection::vec((prop::option::of(account()), prop::option::of(account())), 0..20),
            cut in 0_usize..20,
        ) {
            let sum = |rows: &[(Option<Account>, Option<Account>)]| {
                let mut all = Movement::default();
                for (before, after) in rows {
                    all.add(before.as_ref(), after.as_ref());
                }
                all
            };
            let all = sum(&customers);
            let steps = [all.came, all.left, all.revenue, all.product_cost, all.cost_to_serve, all.other_cost];
            prop_assert_eq!(all.before + steps.iter().sum::<MinorSum>(), all.after);
            prop_assert_eq!(all.customers_before + all.customers_came - all.customers_left, all.customers_after);
            let cut = cut.min(customers.len());
            let mut parts = sum(&customers[cut..]);
            parts.combine(&sum(&customers[..cut]));
            prop_assert_eq!(parts, all);
        }
    }
}
