//! Products as doors: what each earns, beside what the customers are worth who came through it.
//!
//! ```
//! use whalecurve::{
//!     equity::doors::{Door, Role, roles},
//!     schema::equity::DoorSettings,
//! };
//!
//! let door = |margin, entered, value| Door { margin, entered, value };
//! // Four products. The first loses money, but brings the best customers.
//! let doors = [door(-50, 20, 9_000), door(900, 5, 100), door(400, 30, 9_000), door(10, 10, 400)];
//! let settings = DoorSettings { least_profitable: 0.5, min_customers: 10 };
//! assert_eq!(roles(&doors, &settings), [Role::Opens, Role::Earns, Role::EarnsAndOpens, Role::Neither]);
//! ```

use crate::{
    schema::equity::DoorSettings,
    units::{Minor, MinorSum},
};

/// Shares have 12 digits after the point.
const SHARE_UNIT: u128 = 10_u128.pow(12);

/// A product with the customers whose first purchase had it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Door {
    /// What it earned after all cost that reaches it, minor units.
    pub margin: Minor,
    /// Customers whose first purchase had it.
    pub entered: u64,
    /// What they are expected to be worth, minor units.
    pub value: MinorSum,
}

/// What a product does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Earns, and is the door of valuable customers.
    EarnsAndOpens,
    /// Earns alone.
    Earns,
    /// Is the door of valuable customers, though it does not earn.
    Opens,
    /// Neither.
    Neither,
}

impl Role {
    /// The name in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EarnsAndOpens => "earns_and_opens",
            Self::Earns => "earns",
            Self::Opens => "opens",
            Self::Neither => "neither",
        }
    }
}

/// The role of every product.
///
/// A product **earns** when its margin is above 0 and it is not among the `⌊least_profitable · products⌋` with the least
/// margin; of products with one margin all are among them, or none where there is no place for all. It **opens** when at least `min_customers` entered through it and a customer who did is worth more,
/// in the mean, than one who entered through any product; one who entered through several counts with each.
#[must_use]
pub fn roles(doors: &[Door], settings: &DoorSettings) -> Vec<Role> {
    let mut margins: Vec<Minor> = doors.iter().map(|door| door.margin).collect();
    margins.sort_unstable();
    // In floats 0.29 · 100 is below 29.
    let share = (settings.least_profitable * SHARE_UNIT as f64).round() as u128;
    let least = (share * doors.len() as u128 / SHARE_UNIT) as usize;
    // Whatever has less than this is among them.
    let least_of_others = margins.get(least).copied();
    let entered: MinorSum = doors.iter().map(|door| MinorSum::from(door.entered)).sum();
    let value: MinorSum = doors.iter().map(|door| door.value).sum();
    let role = |door: &Door| {
        let earns = door.margin > 0 && least_of_others.is_some_and(|margin| door.margin >= margin);
        let above = door.value as f64 * entered as f64 > value as f64 * door.entered as f64;
        match (earns, door.entered >= settings.min_customers && above) {
            (true, true) => Role::EarnsAndOpens,
            (true, false) => Role::Earns,
            (false, true) => Role::Opens,
            (false, false) => Role::Neither,
        }
    };
    doors.iter().map(role).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_door_of_too_few_customers_is_none_however_good_they_are() {
        let doors = [Door { margin: -1, entered: 9, value: 99_000 }, Door { margin: 5, entered: 90, value: 900 }];
        let settings = DoorSettings { least_profitable: 0.0, min_customers: 10 };
        assert_eq!(roles(&doors, &settings), [Role::Neither, Role::Earns]);
        let settings = DoorSettings { min_customers: 9, ..settings };
        assert_eq!(roles(&doors, &settings), [Role::Opens, Role::Earns]);
    }

    #[test]
    fn the_least_profitable_are_as_many_as_the_share_says_and_never_more() {
        let door = |margin: Minor| Door { margin, entered: 0, value: 0 };
        let earn = |doors: &[Door], percent: u32| {
            let settings = DoorSettings { least_profitable: f64::from(percent) / 100.0, min_customers: 1 };
            roles(doors, &settings).iter().filter(|role| **role == Role::Earns).count()
        };
        let doors: Vec<Door> = (1..=100).map(door).collect();
        for percent in 0..=100 {
            assert_eq!(earn(&doors, percent), 100 - percent as usize);
        }
        // Of ten that earn the same no two are the least profitable ones.
        let mut alike: Vec<Door> = vec![door(5); 10];
        assert_eq!(earn(&alike, 25), 10);
        (alike[3].margin, alike[8].margin) = (4, 9);
        assert_eq!((earn(&alike, 10), earn(&alike, 95)), (9, 1));
    }

    proptest! {
        #[test]
        fn a_better_product_never_has_a_worse_role(
            doors in prop::collection::vec((-500..500_i64, 0..40_u64, 0..9_000_i128), 1..40), gain in 1..400_i64, at in 0..40_usize,
        ) {
            let doors: Vec<Door> = doors.into_iter().map(|(margin, entered, value)| Door { margin, entered, value }).collect();
            let at = at % doors.len();
            let settings = DoorSettings::default();
            let mut better = doors.clone();
            better[at].margin += gain;
            let earns = |role: Role| matches!(role, Role::Earns | Role::EarnsAndOpens);
            prop_assert!(earns(roles(&better, &settings)[at]) >= earns(roles(&doors, &settings)[at]));
        }
    }
}
