//! The fold against a plain restatement of it, and its laws.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    Layout, LedgerSummary,
    assemble::{Distinct, DriverSource},
    customers::roll_up,
};
use crate::{
    numeric::keys::{Key, Keys, TextColumn, published_hash},
    schema::{
        facts::{Cells, Customers, NO_DAY},
        lines::{LineBatch, PURCHASE},
        period::PeriodKind,
        settings::ReturnsPolicy,
    },
    units::QUANTITY_SCALE,
};

/// Customer, order, day, amount, whether the line counts for the distinct drivers.
type Line = (u8, u8, i32, i32, bool);

const MARKED: u32 = PURCHASE << 1;
const MARKED_MONTHS: u32 = PURCHASE << 2;
const LAYOUT: Layout = Layout { period: PeriodKind::Month, added: 1, distinct: 2 };
const DRIVERS: [DriverSource; 3] = [
    DriverSource::Added(0),
    DriverSource::Distinct { bit: MARKED, what: Distinct::Orders },
    DriverSource::Distinct { bit: MARKED_MONTHS, what: Distinct::Months },
];

fn id(customer: u8, ids: &Keys) -> String {
    // Text ids differ by leading zeros alone, so that a mix-up of them would show.
    if matches!(ids, Keys::Int(_)) { customer.to_string() } else { "0".repeat(usize::from(customer) + 1) }
}

fn batch(lines: &[Line], ids: &Keys) -> LineBatch {
    let mut batch = LineBatch::with_capacity(ids, 1, lines.len());
    for &(customer, order, day, amount, marked) in lines {
        let text = id(customer, ids);
        let key = if matches!(ids, Keys::Int(_)) { Key::Int(customer.into()) } else { Key::Text(text.as_bytes()) };
        batch.customer.push(key);
        batch.day.push(day);
        batch.order.push(order.into());
        batch.amount.push(amount.into());
        batch.discount.push(1);
        batch.product_cost.push(i64::from(amount) / 2);
        batch.quantity.push(QUANTITY_SCALE);
        let purchase = if amount < 0 { 0 } else { PURCHASE };
        batch.mask.push(purchase | if marked { MARKED | MARKED_MONTHS } else { 0 });
        batch.added[0].push(7);
    }
    batch
}

fn fold(waves: &[Vec<LineBatch>], ids: &Keys) -> LedgerSummary {
    let mut summary = LedgerSummary::new(LAYOUT, ids);
    for wave in waves {
        summary.insert(wave).unwrap();
    }
    summary
}

fn finish(summary: LedgerSummary) -> (Vec<String>, Vec<u64>, Cells) {
    let (Customers { ids, hash }, cells) = summary.finish(ReturnsPolicy::Separate, &DRIVERS).unwrap();
    ((0..ids.len()).map(|row| ids.text(row)).collect(), hash, cells)
}

/// What one customer and month add up to, line by line.
#[derive(Default)]
struct Plain {
    sales: i64,
    returns: i64,
    lines: u64,
    orders: BTreeSet<u8>,
    days: BTreeSet<i32>,
    revenue_by_day: BTreeMap<i32, i64>,
    last_activity: i32,
    marked_orders: BTreeSet<u8>,
    marked_months: BTreeSet<i32>,
}

fn plainly(lines: &[Line], ids: &Keys) -> BTreeMap<(String, i32), Plain> {
    let mut cells: BTreeMap<(String, i32), Plain> = BTreeMap::new();
    for &(customer, order, day, amount, marked) in lines {
        let month = PeriodKind::Month.of(day);
        let cell = cells.entry((id(customer, ids), month)).or_default();
        cell.lines += 1;
        cell.last_activity = if cell.lines == 1 { day } else { cell.last_activity.max(day) };
        if amount < 0 {
            cell.returns -= i64::from(amount);
        } else {
            cell.sales += i64::from(amount);
            cell.orders.insert(order);
            cell.days.insert(day);
            *cell.revenue_by_day.entry(day).or_default() += i64::from(amount) - 1;
        }
        if marked {
            cell.marked_orders.insert(order);
            cell.marked_months.insert(month);
        }
    }
    cells
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = (0..9_u8, 0..5_u8, -40..400_i32, -900..9_000_i32, any::<bool>());
    prop::collection::vec(line, 1..300)
}

fn kinds() -> [Keys; 2] {
    [Keys::Int(Vec::new()), Keys::Text(TextColumn::default())]
}

/// Compares a fold of `waves` with the plain restatement of their lines.
fn check(waves: &[&[Line]], ids: &Keys) -> Result<(), TestCaseError> {
    let batches: Vec<Vec<LineBatch>> = waves.iter().map(|wave| vec![batch(wave, ids)]).collect();
    let (names, hash, cells) = finish(fold(&batches, ids));
    let plain = plainly(&waves.concat(), ids);
    // Integer ids of one digit and runs of zeros sort alike as text and as ids.
    prop_assert_eq!(cells.len(), plain.len());
    for (row, ((name, month), cell)) in plain.iter().enumerate() {
        prop_assert_eq!(&names[cells.customer[row] as usize], name);
        prop_assert_eq!(cells.period[row], *month);
        prop_assert_eq!((cells.gross_sales[row], cells.returns[row]), (cell.sales, cell.returns));
        prop_assert_eq!((cells.lines[row], cells.discount[row]), (cell.lines, cell.lines as i64));
        prop_assert_eq!(cells.units[row], cell.lines as i64 * QUANTITY_SCALE);
        prop_assert_eq!(cells.orders[row], cell.orders.len() as u64);
        prop_assert_eq!(cells.purchase_days[row] as usize, cell.days.len());
        let no_day = |day: Option<&i32>| day.copied().unwrap_or(NO_DAY);
        prop_assert_eq!(cells.first_purchase[row], no_day(cell.days.first()));
        prop_assert_eq!(cells.last_purchase[row], no_day(cell.days.last()));
        prop_assert_eq!(cells.last_activity[row], cell.last_activity);
        prop_assert_eq!(cells.purchase_revenue[row], cell.revenue_by_day.values().sum::<i64>());
        let first_day = cell.revenue_by_day.first_key_value().map_or(0, |(_, revenue)| *revenue);
        prop_assert_eq!(cells.first_day_revenue[row], first_day);
        let drivers = [
            7 * cell.lines as i64,
            cell.marked_orders.len() as i64 * QUANTITY_SCALE,
            cell.marked_months.len() as i64 * QUANTITY_SCALE,
        ];
        prop_assert_eq!([0, 1, 2].map(|driver| cells.drivers[driver][row]), drivers);
    }
    for (name, hash) in names.iter().zip(&hash) {
        prop_assert_eq!(*hash, published_hash(Key::Text(name.as_bytes())));
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_fold_is_what_a_plain_restatement_gives(lines in lines(), sorted in any::<bool>()) {
        let mut lines = lines;
        if sorted {
            // As a till writes them: lines of one order follow each other.
            lines.sort_unstable_by_key(|line| (line.2, line.0, line.1));
        }
        for ids in kinds() {
            check(&[&lines], &ids)?;
        }
    }

    #[test]
    fn without_distinct_drivers_orders_and_days_are_the_same(lines in lines(), sorted in any::<bool>()) {
        let mut lines = lines;
        if sorted {
            lines.sort_unstable_by_key(|line| (line.2, line.1));
        }
        let ids = Keys::Int(Vec::new());
        let (_, _, marked) = finish(fold(&[vec![batch(&lines, &ids)]], &ids));
        let mut plain = batch(&lines, &ids);
        plain.mask.iter_mut().for_each(|mask| *mask &= PURCHASE);
        let mut summary = LedgerSummary::new(Layout { distinct: 0, ..LAYOUT }, &ids);
        summary.insert(&[plain]).unwrap();
        let (_, cells) = summary.finish(ReturnsPolicy::Separate, &DRIVERS[..1]).unwrap();
        prop_assert_eq!((cells.orders, cells.purchase_days), (marked.orders, marked.purchase_days));
    }

    #[test]
    fn waves_batches_order_and_merged_slices_change_nothing(lines in lines(), at in 0..300_usize, step in 1..40_usize) {
        for ids in kinds() {
            let whole = finish(fold(&[vec![batch(&lines, &ids)]], &ids));
            let reversed: Vec<Line> = lines.iter().rev().copied().collect();
            let waves: Vec<Vec<LineBatch>> =
                reversed.chunks(3 * step).map(|wave| wave.chunks(step).map(|part| batch(part, &ids)).collect()).collect();
            prop_assert_eq!(&finish(fold(&waves, &ids)), &whole);

            let at = at.min(lines.len());
            let mut left = fold(&[vec![batch(&lines[at..], &ids)]], &ids);
            left.combine(&fold(&[vec![batch(&lines[..at], &ids)]], &ids)).unwrap();
            prop_assert_eq!(&finish(left), &whole);
        }
    }

    #[test]
    fn a_customer_is_the_sum_of_its_periods(lines in lines()) {
        let ids = Keys::Int(Vec::new());
        let (names, _, cells) = finish(fold(&[vec![batch(&lines, &ids)]], &ids));
        let facts = roll_up(&cells, names.len()).unwrap();
        for (customer, name) in names.iter().enumerate() {
            let own = || lines.iter().filter(|line| line.0.to_string() == *name);
            let purchases = || own().filter(|line| line.3 >= 0);
            let days: BTreeSet<i32> = purchases().map(|line| line.2).collect();
            prop_assert_eq!(facts.purchase_days[customer] as usize, days.len());
            prop_assert_eq!(facts.net_revenue[customer], own().map(|line| i64::from(line.3) - 1).sum::<i64>());
            let repeat: i64 =
                purchases().filter(|line| Some(&line.2) != days.first()).map(|line| i64::from(line.3) - 1).sum();
            prop_assert_eq!(facts.repeat_revenue[customer], repeat);
        }
    }
}

#[test]
fn a_customer_of_many_months_and_orders_is_what_a_plain_restatement_gives() {
    // All in one partition: its table grows several times, and so do its cells and orders.
    let lines: Vec<Line> = (0..2_400).map(|n| (1, (n % 7) as u8, (n * 37) % 18_000, n - 200, n % 3 == 0)).collect();
    for ids in kinds() {
        check(&[&lines[..900], &lines[900..]], &ids).unwrap();
    }
}

#[test]
fn orders_that_take_turns_are_counted_once() {
    // So many turns that a partition drops the repeated ones on the way.
    let lines: Vec<Line> = (0..60_000).map(|n| (1, (n % 2) as u8, 9 + n % 2, 100, n % 3 == 0)).collect();
    let waves: Vec<&[Line]> = lines.chunks(25_000).collect();
    check(&waves, &Keys::Int(Vec::new())).unwrap();
}

#[test]
fn a_sum_that_leaves_64_bits_is_an_error_and_never_wraps() {
    let ids = Keys::Int(Vec::new());
    let mut large = batch(&[(1, 1, 1, 5, false), (1, 1, 2, 5, false)], &ids);
    large.amount = vec![i64::MAX - 1, i64::MAX - 1];
    let error = LedgerSummary::new(LAYOUT, &ids).insert(&[large]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "transactions: a customer's gross sales exceeds 9.2·10¹⁸ minor units (or millionths of a unit)"
    );
}

#[test]
fn sums_of_one_order_and_of_one_cell_leave_64_bits_alike() {
    let ids = Keys::Int(Vec::new());
    let overflow = |days: [i32; 2], amounts: [i64; 2]| {
        let mut large = batch(&[(1, 1, days[0], 5, false), (1, 1, days[1], 5, false)], &ids);
        large.amount = amounts.to_vec();
        let purchase = if amounts[0] < 0 { 0 } else { PURCHASE };
        large.mask = vec![purchase; 2];
        large.discount = vec![0; 2];
        LedgerSummary::new(LAYOUT, &ids).insert(&[large]).unwrap_err()
    };
    for amounts in [[i64::MAX, 1], [-i64::MAX, -2]] {
        assert_eq!(overflow([3, 3], amounts), overflow([3, 4], amounts));
    }
}

#[test]
fn sales_net_of_returns_that_leave_64_bits_are_an_error() {
    let ids = Keys::Int(Vec::new());
    let mut large = batch(&[(1, 1, 1, 5, false), (1, 2, 2, 5, false)], &ids);
    (large.amount, large.mask) = (vec![-5, i64::MIN + 1], vec![PURCHASE, 0]);
    let summary = fold(&[vec![large]], &ids);
    assert!(summary.finish(ReturnsPolicy::Net, &DRIVERS).is_err());
}

#[test]
fn a_customer_without_a_line_is_known_and_has_no_cell() {
    let ids = Keys::Int(Vec::new());
    let mut summary = fold(&[vec![batch(&[(4, 1, 1, 5, false)], &ids)]], &ids);
    summary.touch(Key::Int(2), None).unwrap();
    let (names, _, cells) = finish(summary);
    assert_eq!((names, cells.customer), (vec!["2".to_owned(), "4".to_owned()], vec![1]));
}
