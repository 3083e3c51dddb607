//! What is left of the knowledge that was gained from customers.

use crate::{
    numeric::sums::Compensated,
    schema::relations::Learning,
    units::{Day, Minor, QUANTITY_SCALE},
};

/// Knowledge of every customer: `Σ value · 2^(−age / half-life)`, rounded once a customer.
///
/// * `rows`: sorted by customer, not after `as_of`. * `customers`: their number.
///
/// Source: the exponential decay of knowledge; Argote, Organizational Learning (1999), ch. 2, finds it in factories.
#[must_use]
pub fn learning(rows: &[Learning], customers: usize, as_of: Day) -> Vec<Minor> {
    let mut value = vec![0; customers];
    for of_customer in rows.chunk_by(|a, b| a.customer == b.customer) {
        let mut sum = Compensated::default();
        for row in of_customer {
            let age = f64::from(as_of) - f64::from(row.date);
            let left = row.half_life.map_or(1.0, |days| libm::exp2(-age * QUANTITY_SCALE as f64 / days as f64));
            sum.add(row.value as f64 * left);
        }
        value[of_customer[0].customer as usize] = sum.value().round_ties_even() as Minor;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knowledge_is_worth_half_after_a_half_life_and_all_of_it_without_one() {
        let row = |customer, date, half_life| Learning { customer, date, value: 1_000, half_life };
        let year = Some(365 * QUANTITY_SCALE);
        let rows = [row(0, 0, year), row(0, 365, year), row(2, 730, year), row(2, 0, None)];
        assert_eq!(learning(&rows, 3, 730), [250 + 500, 0, 2_000]);
    }
}
