//! What is known of customers beside what they bought: whom they recommended us to, what they may buy, what we learn from
//! them.

use crate::units::{Day, Minor, Quantity};

/// One customer was won through another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Referral {
    /// Row of the customer who was won in [`Customers`](super::facts::Customers).
    pub referred: u32,
    /// Row of the customer who recommended us.
    pub referrer: u32,
    /// When, where it is known.
    pub date: Option<Day>,
    /// Weight beside others who recommended us to the same customer, scaled by 10⁶, above 0.
    pub weight: Quantity,
}

/// A sale that may come: one row of the sales pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opportunity {
    /// Row in [`Customers`](super::facts::Customers).
    pub customer: u32,
    /// When it is expected, after `as_of`.
    pub date: Day,
    /// Revenue when it comes.
    pub amount: Minor,
    /// Probability that it comes, in [`SHARE_SCALE`].
    pub probability: i64,
    /// Share of the revenue that is earned, −1 to 1 in [`SHARE_SCALE`]; `None` = as with the customer's other sales.
    pub margin: Option<i64>,
}

/// Knowledge that was gained from working with a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Learning {
    /// Row in [`Customers`](super::facts::Customers).
    pub customer: u32,
    /// When it was gained, not after `as_of`.
    pub date: Day,
    /// What it was worth then.
    pub value: Minor,
    /// Days in which it loses half of its value, scaled by 10⁶, above 0; `None` = it keeps it.
    pub half_life: Option<Quantity>,
}

/// What a customer spends on what we sell, with us and with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wallet {
    /// Spent a year, `>= 0`.
    pub a_year: Minor,
    /// Probability that what others sell to the customer can be won, in [`SHARE_SCALE`].
    pub probability: i64,
}

/// Everything of the kind; each `None` where the table, or the column, is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relations {
    /// Referrals without circles, sorted by referred, then referrer.
    pub referrals: Option<Vec<Referral>>,
    /// The sales pipeline, sorted by customer.
    pub opportunities: Option<Vec<Opportunity>>,
    /// Knowledge, sorted by customer.
    pub learning: Option<Vec<Learning>>,
    /// Weight of what each customer said that inspires us, scaled by 10⁶; `None` without the table.
    pub inspiring: Option<Vec<Quantity>>,
    /// Whom others copy; `None` without the column.
    pub benchmark: Option<Vec<bool>>,
    /// Of whom it is known what winning them cost; `None` without the column.
    pub cost_known: Option<Vec<bool>>,
    /// Wallet of every customer; inner `None` where nothing is known of it.
    pub wallet: Option<Vec<Option<Wallet>>>,
}

/// A probability or a share of 1.
pub const SHARE_SCALE: i64 = super::tables::PROBABILITY_SCALE;
