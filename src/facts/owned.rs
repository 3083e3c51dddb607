//! An order and its customer as one key: ids of orders may repeat from customer to customer.

use crate::numeric::keys::{Key, Keys, TextColumn};

/// A zero byte within a text, and the end of a text: so that texts sort as they did before.
const ZERO: [u8; 2] = [0, 0xff];
const END: [u8; 2] = [0, 0];

/// Keys of orders and customers, row by row; they sort by order, then by customer.
pub(super) fn join(orders: &Keys, customers: &Keys) -> Keys {
    let mut keys = TextColumn::default();
    let mut key = Vec::new();
    for row in 0..orders.len() {
        key.clear();
        match orders.get(row) {
            Key::Int(id) => key.extend_from_slice(&sorted(id)),
            Key::Text(id) => {
                for byte in id {
                    if *byte == 0 { key.extend_from_slice(&ZERO) } else { key.push(*byte) }
                }
                key.extend_from_slice(&END);
            }
        }
        match customers.get(row) {
            Key::Int(id) => key.extend_from_slice(&sorted(id)),
            Key::Text(id) => key.extend_from_slice(id),
        }
        keys.push(&key);
    }
    Keys::Text(keys)
}

/// Orders and customers of such keys.
///
/// * `orders`, `customers`: of the kind of their ids.
pub(super) fn split(keys: &Keys, orders: &Keys, customers: &Keys) -> (Keys, Keys) {
    let (mut of_order, mut of_customer) = (orders.empty_like(), customers.empty_like());
    let mut text = Vec::new();
    for row in 0..keys.len() {
        let Key::Text(key) = keys.get(row) else { continue };
        let rest = match &mut of_order {
            Keys::Int(ids) => {
                let (id, rest) = key.split_at(size_of::<i64>());
                ids.push(unsorted(id));
                rest
            }
            Keys::Text(ids) => {
                text.clear();
                let mut rest = key;
                while let [byte, more @ ..] = rest {
                    match more {
                        [0, end @ ..] if *byte == 0 => {
                            rest = end;
                            break;
                        }
                        [0xff, more @ ..] if *byte == 0 => rest = more,
                        more => rest = more,
                    }
                    text.push(*byte);
                }
                ids.push(&text);
                rest
            }
        };
        match &mut of_customer {
            Keys::Int(ids) => ids.push(unsorted(rest)),
            Keys::Text(ids) => ids.push(rest),
        }
    }
    (of_order, of_customer)
}

/// Bytes of a number that sort as it does.
fn sorted(id: i64) -> [u8; 8] {
    (id as u64 ^ 1 << 63).to_be_bytes()
}

fn unsorted(bytes: &[u8]) -> i64 {
    let mut all = [0; 8];
    all.copy_from_slice(bytes);
    (u64::from_be_bytes(all) ^ 1 << 63) as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids() -> impl Strategy<Value = (Vec<i64>, Vec<Vec<u8>>)> {
        // Few different bytes, so that one text often begins another.
        let text = prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(0xff), any::<u8>()], 0..5);
        (prop::collection::vec(prop_oneof![any::<i64>(), -2..3_i64], 12), prop::collection::vec(text, 12))
    }

    fn texts(rows: &[Vec<u8>]) -> Keys {
        let mut column = TextColumn::default();
        for row in rows {
            column.push(row);
        }
        Keys::Text(column)
    }

    proptest! {
        #[test]
        fn joined_keys_split_again_and_sort_by_order_then_customer((numbers, words) in ids(), (more, others) in ids()) {
            for orders in [Keys::Int(numbers.clone()), texts(&words)] {
                for customers in [Keys::Int(more.clone()), texts(&others)] {
                    let keys = join(&orders, &customers);
                    prop_assert_eq!(split(&keys, &orders, &customers), (orders.clone(), customers.clone()));
                    for (a, b) in (0..12).flat_map(|a| (0..12).map(move |b| (a, b))) {
                        let pair = |row| (orders.get(row), customers.get(row));
                        prop_assert_eq!(keys.get(a).cmp(&keys.get(b)), pair(a).cmp(&pair(b)));
                    }
                }
            }
        }
    }
}
