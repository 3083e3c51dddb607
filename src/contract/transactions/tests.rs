//! The two ways of the contract against each other, and rows that neither may mistake.

use std::collections::BTreeMap;

use polars::prelude::*;
use proptest::prelude::*;

use super::{Judged, Ledger, TABLE, columns::Columns};
use crate::{
    contract::columns::Batch,
    numeric::keys::{KeyIndex, Keys, TextColumn},
    schema::{
        checks::Threshold,
        costing::ServiceSetting,
        decisions::DecisionSettings,
        economic::EconomicSettings,
        equity::EquitySettings,
        fx::FxSettings,
        inputs::Limits,
        lines::PURCHASE,
        money::Currency,
        period::PeriodKind,
        settings::{
            DriverMeasure, Format, Inputs, LedgerDriver, Policy, PortfolioSettings, ReturnsPolicy, RuleSetting,
            Settings, TableName, TableSetting,
        },
        tables::UnitCost,
    },
};

/// Every rule that a ledger's row can break.
const RULES: [&str; 12] = [
    "invalid_amount",
    "missing_date",
    "after_as_of",
    "wrong_currency",
    "missing_customer",
    "unknown_customer",
    "unknown_product",
    "missing_value",
    "invalid_driver",
    "amount_range",
    "quantity_range",
    "date_range",
];

/// Customer, day, amount, quantity, discount, product, currency, driver, whether the filter holds.
type Line = (
    (Option<i64>, Option<i32>, Option<i64>, Option<i32>),
    (Option<f64>, Option<i32>, Option<&'static str>, Option<f64>, Option<bool>),
);

fn settings(policies: &[Policy], returns: ReturnsPolicy) -> Settings {
    let rule = |(name, policy): (&&str, &Policy)| {
        let (min, max) = match *name {
            "amount_range" => (Some("-5.00"), Some("90.00")),
            "quantity_range" => (Some("-2"), Some("4")),
            "date_range" => (Some("1970-01-03"), Some("1970-01-25")),
            _ => (None, None),
        };
        let (min, max) = (min.map(str::to_owned), max.map(str::to_owned));
        let none = Threshold::default();
        ((*name).to_owned(), RuleSetting { policy: *policy, error_if: none, warn_if: none, min, max })
    };
    let transactions = TableSetting {
        paths: Vec::new(),
        format: Format::Parquet,
        columns: BTreeMap::new(),
        filter: None,
        covariates: BTreeMap::new(),
        limits: Limits::default(),
        id_key: None,
    };
    let driver = |measure, filter: Option<&str>| LedgerDriver { measure, filter: filter.map(str::to_owned) };
    Settings {
        spool: None,
        name: String::new(),
        currency: Currency { code: "EUR".to_owned(), exponent: 2 },
        as_of: Some(20),
        period: PeriodKind::Whole,
        seed: 0,
        threads: None,
        output: String::new(),
        freshness: None,
        ids: None,
        tests: BTreeMap::new(),
        base: String::new(),
        inputs: Inputs {
            transactions,
            returns,
            customers: None,
            products: None,
            pools: None,
            activities: None,
            driver_quantities: None,
            receivables: None,
            fx: None,
            traced: None,
            contracts: None,
            referrals: None,
            opportunities: None,
            learning: None,
            interactions: None,
            resource_weights: None,
            acquisition_plan: None,
            market: None,
            targets: None,
            actions: None,
            action_customers: None,
            prospects: None,
            events: None,
        },
        contract: BTreeMap::from([(TableName::Transactions, RULES.iter().zip(policies).map(rule).collect())]),
        drivers: BTreeMap::from([
            ("a".to_owned(), driver(DriverMeasure::Sum("v".to_owned()), Some("f"))),
            ("b".to_owned(), driver(DriverMeasure::CountDistinctOrder, Some("f"))),
            ("c".to_owned(), driver(DriverMeasure::Count, None)),
        ]),
        activities: BTreeMap::new(),
        resources: BTreeMap::new(),
        service: ServiceSetting::default(),
        fx: FxSettings::default(),
        economic: EconomicSettings::default(),
        scenario: None,
        report: crate::schema::settings::ReportSettings::default(),
        suppress: 1,
        outputs: None,
        keep_versions: 0,
        forecast: None,
        portfolio: PortfolioSettings::default(),
        equity: EquitySettings::default(),
        decisions: DecisionSettings::default(),
    }
}

fn ledger(settings: &Settings, texts: bool) -> Ledger {
    let known = if texts {
        let mut ids = TextColumn::default();
        for id in ["0", "1", "2", "3"] {
            ids.push(id.as_bytes());
        }
        Keys::Text(ids)
    } else {
        Keys::Int((0..4).collect())
    };
    let unit_costs = [(33, 0), (0, 0), (i64::MAX / 2, 0), (149, 2)];
    let unit_costs = unit_costs.map(|(mantissa, beyond)| UnitCost { mantissa, beyond }).to_vec();
    let products = (KeyIndex::new(&Keys::Int(vec![0, 1, 2, 3])), unit_costs);
    Ledger::new(settings, Some(KeyIndex::new(&known)), Some(products)).unwrap()
}

fn frame(lines: &[Line], texts: bool) -> DataFrame {
    let column = |name: &str, series: Series| series.with_name(name.into()).into_column();
    let customer: Vec<Option<i64>> = lines.iter().map(|line| line.0.0).collect();
    let customer = Series::new("".into(), customer);
    let customer = if texts { customer.cast(&DataType::String).unwrap() } else { customer };
    let day = Series::new("".into(), lines.iter().map(|line| line.0.1).collect::<Vec<_>>());
    DataFrame::new(
        lines.len(),
        vec![
            column("customer_id", customer),
            column("date", day.cast(&DataType::Date).unwrap()),
            column("amount", Series::new("".into(), lines.iter().map(|line| line.0.2).collect::<Vec<_>>())),
            column("quantity", Series::new("".into(), lines.iter().map(|line| line.0.3).collect::<Vec<_>>())),
            column("discount", Series::new("".into(), lines.iter().map(|line| line.1.0).collect::<Vec<_>>())),
            column("product_id", Series::new("".into(), lines.iter().map(|line| line.1.1).collect::<Vec<_>>())),
            column("currency", Series::new("".into(), lines.iter().map(|line| line.1.2).collect::<Vec<_>>())),
            column("driver:a", Series::new("".into(), lines.iter().map(|line| line.1.3).collect::<Vec<_>>())),
            column("filter:a", Series::new("".into(), lines.iter().map(|line| line.1.4).collect::<Vec<_>>())),
            column("filter:b", Series::new("".into(), lines.iter().map(|line| line.1.4).collect::<Vec<_>>())),
        ],
    )
    .unwrap()
}

/// The batch with every row taken for a suspect, so that every row is judged by itself.
fn judged_row_by_row(ledger: &Ledger, frame: &DataFrame) -> Judged {
    let batch = Batch { table: TABLE.as_str(), frame };
    let mut columns = Columns::read(ledger, &batch).unwrap();
    let rows = ledger.suspects(&mut columns).len();
    ledger.judge_rows(&batch, columns, &vec![true; rows])
}

fn line() -> impl Strategy<Value = Line> {
    // Mostly sound, so that rows without a broken rule stand between those that break one.
    let or_null = |sound: BoxedStrategy<i64>| prop_oneof![9 => sound.prop_map(Some), 1 => Just(None)];
    let id = or_null(prop_oneof![9 => 0..4_i64, 1 => Just(7)].boxed());
    let day = prop_oneof![12 => (3..20_i32).prop_map(Some), 1 => (0..30_i32).prop_map(Some), 1 => Just(None)];
    let amount = or_null(
        prop_oneof![12 => -400..8_000_i64, 1 => -900..20_000_i64, 1 => prop::sample::select(vec![
            i64::MIN, i64::MIN + 1, i64::MIN + 2, i64::MAX
        ])]
        .boxed(),
    );
    let quantity = or_null(prop_oneof![12 => -2..5_i64, 1 => -9..9_i64, 1 => Just(i64::from(i32::MIN))].boxed());
    let float = || {
        let odd = prop::sample::select(vec![Some(f64::NAN), Some(f64::INFINITY), Some(1e300), None]);
        prop_oneof![9 => (0..40_i32).prop_map(|cents| Some(f64::from(cents) / 100.0)), 1 => odd]
    };
    let product = or_null(prop_oneof![12 => 0..2_i64, 1 => 0..6_i64].boxed());
    let currency = prop_oneof![12 => Just(Some("EUR")), 1 => Just(Some("USD")), 1 => Just(None)];
    let narrow = |value: Option<i64>| value.map(|value| value as i32);
    (
        (id, day, amount, quantity.prop_map(narrow)),
        (float(), product.prop_map(narrow), currency, float(), prop::option::of(any::<bool>())),
    )
}

proptest! {
    #[test]
    fn a_batch_judged_by_columns_is_what_its_rows_give_one_by_one(
        lines in prop::collection::vec(line(), 0..80),
        policies in prop::collection::vec(prop::sample::select(vec![Policy::Reject, Policy::Warn, Policy::Error]), 12),
        returns in prop::sample::select(vec![
            ReturnsPolicy::Separate, ReturnsPolicy::Drop, ReturnsPolicy::Net, ReturnsPolicy::Purchases,
        ]),
        texts in any::<bool>(),
    ) {
        let ledger = ledger(&settings(&policies, returns), texts);
        let frame = frame(&lines, texts);
        let by_columns = ledger.judge(&frame).unwrap();
        prop_assert_eq!(format!("{by_columns:?}"), format!("{:?}", judged_row_by_row(&ledger, &frame)));
        prop_assert_eq!(by_columns.tally.balance.input.rows, lines.len() as u64);
        prop_assert_eq!(by_columns.tally.balance.accepted.rows, by_columns.lines.len() as u64);
    }
}

fn sound() -> Line {
    ((Some(1), Some(5), Some(100), Some(2)), (Some(0.0), Some(0), Some("EUR"), Some(1.5), Some(true)))
}

#[test]
fn a_sound_line_is_no_suspect_and_carries_its_product_cost_and_drivers() {
    let ledger = ledger(&settings(&[Policy::Reject; 12], ReturnsPolicy::Separate), false);
    let frame = frame(&[sound()], false);
    let batch = Batch { table: TABLE.as_str(), frame: &frame };
    assert_eq!(ledger.suspects(&mut Columns::read(&ledger, &batch).unwrap()), [false]);
    let lines = ledger.judge(&frame).unwrap().lines;
    assert_eq!((lines.product_cost, lines.quantity), (vec![66], vec![2_000_000]));
    assert_eq!((lines.mask, lines.added), (vec![PURCHASE | PURCHASE << 1], vec![vec![1_500_000], vec![1_000_000]]));
}

#[test]
fn a_line_without_a_quantity_is_a_purchase_of_none_and_no_return() {
    let mut without = sound();
    without.0.3 = None;
    without.1.4 = Some(false);
    let ledger = ledger(&settings(&[Policy::Warn; 12], ReturnsPolicy::Drop), false);
    let judged = ledger.judge(&frame(&[without], false)).unwrap();
    assert_eq!((judged.lines.mask, judged.lines.quantity), (vec![PURCHASE], vec![0]));
}
