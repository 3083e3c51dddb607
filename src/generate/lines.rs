//! An order's lines: its total split exactly into cents, products and quantities that fit, discounts, and returns.

use super::catalogue::Catalogue;
use super::process::{Customer, Order, line_stream};
use super::survey::share;

/// An order whose lines are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderKey {
    pub(super) customer: u64,
    /// The order's place in the customer's own order.
    pub(super) order: u32,
    /// The order's total in cents, at least [`OrderKey::lines`].
    pub(super) cents: u64,
    pub(super) lines: u64,
    /// Discount in percent.
    pub(super) promotion: u8,
}

impl OrderKey {
    /// The key of a drawn order that got so many lines.
    pub(super) fn new(customer: &Customer, order: &Order, lines: u64) -> Self {
        Self {
            customer: customer.index,
            order: order.index,
            cents: order.cents(lines),
            lines,
            promotion: order.promotion,
        }
    }
}

/// One ledger line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) product: i32,
    /// Units; negative for a return.
    pub(super) quantity: i32,
    /// Line total in cents before discount; negative for a return.
    pub(super) cents: i64,
    /// Discount in cents, `>= 0`.
    pub(super) discount: i64,
}

/// Splits orders; holds the scratch that one thread needs.
pub(super) struct Splitter<'a> {
    seed: u64,
    catalogue: &'a Catalogue,
    words: Vec<u64>,
    lines: Vec<Line>,
}

/// A line's random word: its weight in the order, its quantity, and how far its product is from the fitting price.
const WEIGHT_MASK: u64 = 0x3FF;
const QUANTITY_SHIFT: u32 = 10;
const MORE_UNITS: u32 = 7;
const JITTER_SHIFT: u32 = 40;
const JITTER: i64 = 4;

fn weight(word: u64) -> u64 {
    // The constant keeps the smallest line within a tenth of the largest.
    100 + (word & WEIGHT_MASK)
}

impl<'a> Splitter<'a> {
    pub(super) fn new(seed: u64, catalogue: &'a Catalogue) -> Self {
        Self { seed, catalogue, words: Vec::new(), lines: Vec::new() }
    }

    /// The lines of an order: `Σ cents = key.cents`, every line at least a cent.
    pub(super) fn split(&mut self, key: &OrderKey) -> &[Line] {
        let mut stream = line_stream(self.seed, key.customer, key.order);
        // The first word belongs to the return.
        stream.next_u64();
        self.words.clear();
        self.words.extend((0..key.lines).map(|_| stream.next_u64()));
        self.lines.clear();
        let whole: u64 = self.words.iter().map(|word| weight(*word)).sum();
        let spare = key.cents - key.lines;
        let (mut before, mut cumulated) = (0, 0);
        for word in &self.words {
            cumulated += weight(*word);
            let upto = share(spare, cumulated, whole);
            let cents = 1 + upto - before;
            before = upto;
            self.lines.push(line(self.catalogue, *word, cents, key.promotion));
        }
        &self.lines
    }

    /// The return of one line of an order: some or all of its units, at the price paid for them.
    pub(super) fn returned(&mut self, key: &OrderKey) -> Line {
        let mut stream = line_stream(self.seed, key.customer, key.order);
        let choice = stream.next_u64();
        let lines = self.split(key);
        let sold = lines[(choice % lines.len() as u64) as usize];
        let units = 1 + (choice >> 32) as i64 % i64::from(sold.quantity);
        let refund = sold.cents * units / i64::from(sold.quantity);
        // Half a cent is no refund: then everything goes back.
        let (units, refund) = if refund > 0 { (units as i32, refund) } else { (sold.quantity, sold.cents) };
        Line { product: sold.product, quantity: -units, cents: -refund, discount: 0 }
    }
}

fn line(catalogue: &Catalogue, word: u64, cents: u64, promotion: u8) -> Line {
    // One unit in half of the lines, two in a quarter, and so on; never more than the cheapest product allows.
    let wanted = 1 + u64::from((word >> QUANTITY_SHIFT).trailing_zeros().min(MORE_UNITS));
    let quantity = wanted.min((cents / catalogue.cheapest()).max(1));
    let jitter = ((word >> JITTER_SHIFT) % (2 * JITTER as u64 + 1)) as i64 - JITTER;
    let product = catalogue.near(cents / quantity, jitter);
    let discount = (cents * u64::from(promotion) + 50) / 100;
    Line { product: product.id, quantity: quantity as i32, cents: cents as i64, discount: discount as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> impl Iterator<Item = OrderKey> {
        [(1, 1), (3, 3), (50, 7), (12_345, 1), (12_345, 4), (9_999_999, 300)].into_iter().enumerate().flat_map(
            |(customer, (cents, lines))| {
                (0..50).map(move |order| OrderKey {
                    customer: customer as u64,
                    order,
                    cents,
                    lines,
                    promotion: [0, 20][order as usize % 2],
                })
            },
        )
    }

    #[test]
    fn lines_sum_to_the_order_and_none_is_empty() {
        let catalogue = Catalogue::new(3, 10_000);
        let mut splitter = Splitter::new(3, &catalogue);
        for key in keys() {
            let lines = splitter.split(&key);
            assert_eq!(lines.len() as u64, key.lines);
            assert_eq!(lines.iter().map(|line| line.cents as u64).sum::<u64>(), key.cents);
            assert!(lines.iter().all(|line| line.cents > 0 && line.quantity > 0 && line.discount <= line.cents));
        }
    }

    #[test]
    fn a_return_gives_back_no_more_than_was_bought() {
        let catalogue = Catalogue::new(3, 10_000);
        let mut splitter = Splitter::new(3, &catalogue);
        for key in keys() {
            let back = splitter.returned(&key);
            let sold = splitter.split(&key);
            assert!(back.cents < 0 && back.quantity < 0);
            assert!(
                sold.iter().any(|line| {
                    line.product == back.product && line.quantity >= -back.quantity && line.cents >= -back.cents
                }),
                "{back:?} was never sold"
            );
        }
    }
}
