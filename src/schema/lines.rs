//! Accepted ledger lines: what the contract hands to the facts kernel, column by column.

use crate::{
    numeric::keys::Keys,
    units::{Day, Minor, Quantity},
};

/// Bit of [`LineBatch::mask`] that marks a purchase line (a return has a negative amount or quantity).
pub const PURCHASE: u32 = 1;

/// Number of distinct-count drivers that fit beside [`PURCHASE`] in a mask.
pub const MAX_DISTINCT_DRIVERS: usize = 31;

/// A batch of accepted lines. All columns have the length of `day`.
#[derive(Clone, Debug)]
pub struct LineBatch {
    /// Customer ids.
    pub customer: Keys,
    /// Day of the line.
    pub day: Vec<Day>,
    /// Order id as a number: the integer itself, or [`order_of_text`] or [`order_of_day`].
    pub order: Vec<u64>,
    /// Line amount with its sign, before discount.
    pub amount: Vec<Minor>,
    /// Discount, positive lowers revenue.
    pub discount: Vec<Minor>,
    /// Product cost, negative for a return.
    pub product_cost: Vec<Minor>,
    /// Quantity with its sign.
    pub quantity: Vec<Quantity>,
    /// [`PURCHASE`], and bit `1 + k` when the line counts for the k-th distinct-count driver.
    pub mask: Vec<u32>,
    /// Additive drivers: what the line adds, one column a driver.
    pub added: Vec<Vec<Quantity>>,
}

impl LineBatch {
    /// An empty batch with ids of the kind of `customer` and room for `rows` lines.
    #[must_use]
    pub fn with_capacity(customer: &Keys, added: usize, rows: usize) -> Self {
        Self {
            customer: customer.empty_like(),
            day: Vec::with_capacity(rows),
            order: Vec::with_capacity(rows),
            amount: Vec::with_capacity(rows),
            discount: Vec::with_capacity(rows),
            product_cost: Vec::with_capacity(rows),
            quantity: Vec::with_capacity(rows),
            mask: Vec::with_capacity(rows),
            added: (0..added).map(|_| Vec::with_capacity(rows)).collect(),
        }
    }

    /// Number of lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.day.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.day.is_empty()
    }
}

/// Order number of a line without an order id: one order a day.
#[inline]
#[must_use]
pub fn order_of_day(day: Day) -> u64 {
    // The top half marks it off from small integer ids; text ids are hashes.
    0xfeed_da7e_0000_0000 | u64::from(day as u32)
}

/// Order number of a text order id: the text itself up to seven bytes, else its 64-bit hash.
///
/// Two long ids of one customer fall together with a probability of 2⁻⁶⁴ a pair.
#[inline]
#[must_use]
pub fn order_of_text(text: &[u8]) -> u64 {
    if text.len() <= 7 {
        let mut word = [0_u8; 8];
        word[..text.len()].copy_from_slice(text);
        word[7] = text.len() as u8;
        u64::from_le_bytes(word)
    } else {
        crate::numeric::keys::hash_text(text)
    }
}
