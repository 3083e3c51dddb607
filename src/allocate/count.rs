//! Counting equal quantities: by a small table while they are few, by sorting otherwise.

use crate::{numeric::keys::hash_int, units::Quantity};

/// Slots of the table; it is given up when half are taken.
const SLOTS: usize = 4_096;

/// (quantity, count), ascending; `None` when there are too many distinct quantities for the table.
///
/// Most drivers (orders, calls, visits) take few values, so that one look a row in a table of the first cache replaces
/// the sort of all rows.
pub(super) fn few(quantities: &[Quantity]) -> Option<Vec<(Quantity, u64)>> {
    let mut table = vec![(0_i64, 0_u64); SLOTS];
    let mut taken = 0;
    for quantity in quantities {
        let mut slot = hash_int(*quantity) as usize % SLOTS;
        loop {
            let entry = &mut table[slot];
            if entry.1 > 0 && entry.0 != *quantity {
                slot = (slot + 1) % SLOTS;
                continue;
            }
            if entry.1 == 0 {
                taken += 1;
                if taken > SLOTS / 2 {
                    return None;
                }
                entry.0 = *quantity;
            }
            entry.1 += 1;
            break;
        }
    }
    table.retain(|entry| entry.1 > 0);
    table.sort_unstable();
    Some(table)
}

/// (quantity, count) of a sorted slice.
pub(super) fn equal(sorted: &[Quantity]) -> Vec<(Quantity, u64)> {
    let mut classes: Vec<(Quantity, u64)> = Vec::new();
    for quantity in sorted {
        match classes.last_mut().filter(|class| class.0 == *quantity) {
            Some(class) => class.1 += 1,
            None => classes.push((*quantity, 1)),
        }
    }
    classes
}

/// Adds the counts of `theirs` to `mine`; both ascend.
pub(super) fn merge(mine: &mut Vec<(Quantity, u64)>, theirs: &[(Quantity, u64)]) {
    if mine.is_empty() || theirs.is_empty() {
        mine.extend_from_slice(theirs);
        return;
    }
    let mut merged = Vec::with_capacity(mine.len() + theirs.len());
    let (mut left, mut right) = (mine.iter().peekable(), theirs.iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = match a.0.cmp(&b.0) {
            std::cmp::Ordering::Less => left.next().copied(),
            std::cmp::Ordering::Greater => right.next().copied(),
            std::cmp::Ordering::Equal => {
                let sum = (a.0, a.1 + b.1);
                left.next();
                right.next();
                Some(sum)
            }
        };
        merged.extend(next);
    }
    merged.extend(left.chain(right).copied());
    *mine = merged;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_table_counts_what_sorting_counts(quantities in prop::collection::vec(-9..9_i64, 0..300)) {
            let mut sorted = quantities.clone();
            sorted.sort_unstable();
            prop_assert_eq!(few(&quantities), Some(equal(&sorted)));
        }
    }

    #[test]
    fn more_distinct_quantities_than_half_the_slots_are_left_to_sorting() {
        let quantities: Vec<i64> = (0..=SLOTS as i64 / 2).collect();
        assert_eq!(few(&quantities), None);
        assert_eq!(few(&quantities[1..]).map(|classes| classes.len()), Some(SLOTS / 2));
    }
}
