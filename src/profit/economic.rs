//! From CM3 to economic profit: capital charge, bad debt, commissions, acquisition cost.
//!
//! Each part is one formula over exact decimals, rounded once, half to even.

use super::ProfitError;
use crate::{
    numeric::decimal::{Decimal, divide_half_even, power_of_ten},
    schema::{
        economic::{BadDebt, CapitalCharge, CommissionBase, Commissions, EconomicCost, EconomicInputs, RatePeriod},
        facts::Cells,
        period::{Period, PeriodKind},
        tables::{PROBABILITY_SCALE, Receivable},
    },
    units::{Days, Minor},
};

/// Days of a year in interest and in days of sales.
const DAYS_PER_YEAR: i128 = 365;

/// Months of a year.
const MONTHS_PER_YEAR: i128 = 12;

/// A length of time in the unit of a rate, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    numerator: i128,
    denominator: i128,
}

impl Span {
    /// No time is in the formula.
    const NONE: Self = Self { numerator: 1, denominator: 1 };

    /// `days / 365` years, or `12 · days / 365` months.
    #[must_use]
    pub fn of_days(days: Days, every: RatePeriod) -> Self {
        let months = if every == RatePeriod::Month { MONTHS_PER_YEAR } else { 1 };
        Self { numerator: i128::from(days) * months, denominator: DAYS_PER_YEAR }
    }

    /// A period of the run: its days in years, its calendar months in months; `whole` days without periods.
    #[must_use]
    pub fn of_period(kind: PeriodKind, period: Period, whole: Days, every: RatePeriod) -> Self {
        let months = match kind {
            PeriodKind::Whole | PeriodKind::Day => None,
            PeriodKind::Year => Some(12),
            PeriodKind::Quarter => Some(3),
            PeriodKind::Month => Some(1),
        };
        match (every, months) {
            (RatePeriod::Month, Some(months)) => Self { numerator: months, denominator: 1 },
            _ => Self::of_days(kind.days(period).unwrap_or(whole), every),
        }
    }
}

/// `amount · rate · span / count`, half to even; `None` when it does not fit.
fn product(amount: i128, count: i128, rate: Decimal, span: Span) -> Option<Minor> {
    let rate = rate.normalised();
    let numerator = amount.checked_mul(rate.mantissa)?.checked_mul(span.numerator)?;
    let denominator = power_of_ten(rate.scale)?.checked_mul(span.denominator)?.checked_mul(count)?;
    i64::try_from(divide_half_even(numerator, denominator)).ok()
}

/// The cost of capital bound in an average balance: `balance · rate · span`, half to even.
///
/// * `balance_sum`, `balances`: the balances that are averaged, in minor units; a credit balance earns.
/// * `rate`: 0.10 = 10 %.
/// * `span`: length of the period that the average is over, in the unit of the rate.
///
/// Returns `None` when the result does not fit.
///
/// Source: Kumar & Reinartz, Customer Relationship Management (2018), ch. 5: capital cost of receivables.
#[must_use]
pub fn capital_charge(balance_sum: i128, balances: u32, rate: Decimal, span: Span) -> Option<Minor> {
    if balances == 0 { Some(0) } else { product(balance_sum, i128::from(balances), rate, span) }
}

/// The cost of capital bound in `days` of sales: `sales · days / 365 · rate`, half to even.
///
/// The balance of a period of `p` days is `sales / p · days`, and it is bound for `p / 365` years: the length of the
/// period cancels, so that charges of months add up to that of the year but for rounding.
///
/// * `sales`: net revenue of the period, minor units.
/// * `days`: days until customers pay.
///
/// Returns `None` when the result does not fit.
#[must_use]
pub fn capital_charge_on_sales(sales: Minor, days: u16, rate: Decimal, every: RatePeriod) -> Option<Minor> {
    product(i128::from(sales), 1, rate, Span::of_days(Days::from(days), every))
}

/// The parts of economic profit beyond CM3, of every cell.
///
/// * `net_revenue`, `cm1`: one a cell.
///
/// # Errors
/// [`ProfitError`] when a part does not fit 64 bits.
pub fn economic_cost(
    cells: &Cells,
    net_revenue: &[Minor],
    cm1: &[Minor],
    inputs: &EconomicInputs,
) -> Result<EconomicCost, ProfitError> {
    let receivable = receivable_of_cells(cells, &inputs.receivables);
    let settings = &inputs.settings;
    let charge = |cell: usize| match &settings.capital_charge {
        Some(setting) => charge_of_cell(setting, receivable[cell], net_revenue[cell], cells.period[cell], inputs),
        None => Some(0),
    };
    let bad_debt = |cell: usize| match &settings.bad_debt {
        Some(setting) => expected_loss(setting, receivable[cell], net_revenue[cell], cells.period[cell], inputs),
        None => Some(receivable[cell].map_or(0, |row| row.write_off)),
    };
    let commission = |cell: usize| match &settings.commissions {
        Some(setting) => {
            let base = match setting.of {
                CommissionBase::NetRevenue => net_revenue[cell],
                CommissionBase::Cm1 => cm1[cell],
                CommissionBase::GrossSales => cells.gross_sales[cell],
            };
            commission(base, setting)
        }
        None => Some(0),
    };
    let acquisition_cost =
        if inputs.acquisition_cost.is_empty() { vec![0; cells.len()] } else { inputs.acquisition_cost.to_vec() };
    Ok(EconomicCost {
        capital_charge: column("capital charge", cells.len(), charge)?,
        bad_debt: column("bad debt", cells.len(), bad_debt)?,
        commissions: column("commissions", cells.len(), commission)?,
        acquisition_cost,
    })
}

/// Commission on a base: `base · rate`, half to even; a negative base costs nothing unless commission is taken back.
///
/// Returns `None` when the result does not fit.
#[must_use]
pub fn commission(base: Minor, setting: &Commissions) -> Option<Minor> {
    if base < 0 && !setting.clawback { Some(0) } else { product(i128::from(base), 1, setting.rate, Span::NONE) }
}

fn charge_of_cell(
    setting: &CapitalCharge,
    receivable: Option<&Receivable>,
    net_revenue: Minor,
    period: Period,
    inputs: &EconomicInputs,
) -> Option<Minor> {
    match (setting.days, receivable) {
        (Some(days), _) => capital_charge_on_sales(net_revenue, days, setting.rate, setting.every),
        (None, Some(row)) => {
            let span = Span::of_period(inputs.kind, period, inputs.span, setting.every);
            capital_charge(row.balance_sum, row.balances, setting.rate, span)
        }
        (None, None) => Some(0),
    }
}

/// `exposure · probability · loss`: the exposure is the average balance or days of sales; nothing is lost on a credit
/// balance.
fn expected_loss(
    setting: &BadDebt,
    receivable: Option<&Receivable>,
    net_revenue: Minor,
    period: Period,
    inputs: &EconomicInputs,
) -> Option<Minor> {
    match (setting.days, setting.probability, receivable) {
        (Some(days), Some(probability), _) => {
            let rate = probability.normalised().multiply(setting.loss.normalised())?;
            product(i128::from(net_revenue.max(0)), 1, rate, Span::of_days(Days::from(days), RatePeriod::Year))
        }
        (None, _, Some(row)) if row.balances > 0 => {
            let span = if setting.per_year {
                Span::of_period(inputs.kind, period, inputs.span, RatePeriod::Year)
            } else {
                Span::NONE
            };
            // A common probability has zeros at its end: without them products stay far from 128 bits.
            let (defaulting, scale) = without_zeros(row.defaulting, i128::from(PROBABILITY_SCALE));
            product(defaulting, scale.checked_mul(i128::from(row.balances))?, setting.loss, span)
        }
        _ => Some(0),
    }
}

/// The same fraction with common powers of ten cancelled; `scale` is a power of ten.
fn without_zeros(mut value: i128, mut scale: i128) -> (i128, i128) {
    while scale > 1 && value % 10 == 0 {
        (value, scale) = (value / 10, scale / 10);
    }
    (value, scale)
}

/// The receivable of each cell; both are sorted by customer, then period.
fn receivable_of_cells<'a>(cells: &Cells, receivables: &'a [Receivable]) -> Vec<Option<&'a Receivable>> {
    let mut rows = receivables.iter().peekable();
    (0..cells.len())
        .map(|cell| {
            let key = (cells.customer[cell], cells.period[cell]);
            while rows.next_if(|row| (row.customer, row.period) < key).is_some() {}
            rows.next_if(|row| (row.customer, row.period) == key)
        })
        .collect()
}

fn column(what: &'static str, rows: usize, of: impl Fn(usize) -> Option<Minor>) -> Result<Vec<Minor>, ProfitError> {
    (0..rows).map(|row| of(row).ok_or(ProfitError { what })).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::schema::economic::EconomicSettings;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    /// One cell with this net revenue.
    fn cell(revenue: Minor) -> Cells {
        Cells { customer: vec![0], period: vec![0], gross_sales: vec![revenue], ..Cells::default() }
    }

    fn loss(settings: BadDebt, revenue: Minor, receivables: Vec<Receivable>) -> Minor {
        let settings = EconomicSettings { bad_debt: Some(settings), ..EconomicSettings::default() };
        let inputs =
            EconomicInputs { settings, receivables: receivables.into(), span: 73, ..EconomicInputs::default() };
        economic_cost(&cell(revenue), &[revenue], &[0], &inputs).unwrap().bad_debt[0]
    }

    #[test]
    fn ninety_days_of_sales_at_ten_percent_cost_what_the_reference_says() {
        // REFERENCE: sales 1,000,000, 90 days to collect, 10 % a year: 24,657.53.
        assert_eq!(capital_charge_on_sales(100_000_000, 90, decimal("0.10"), RatePeriod::Year), Some(2_465_753));
        // The same balance as a table would give it, over a year; its own rounding moves nothing here.
        let balance = divide_half_even(100_000_000 * 90, 365);
        let year = Span::of_days(365, RatePeriod::Year);
        assert_eq!(capital_charge(balance, 1, decimal("0.10"), year), Some(2_465_753));
    }

    #[test]
    fn a_rate_per_month_counts_calendar_months_and_twelve_to_a_year() {
        let rate = decimal("0.01");
        let charge =
            |kind, period| capital_charge(100_000, 1, rate, Span::of_period(kind, period, 73, RatePeriod::Month));
        assert_eq!(charge(PeriodKind::Month, 1997 * 12 + 1), Some(1_000));
        assert_eq!(charge(PeriodKind::Quarter, 1997 * 4), Some(3_000));
        assert_eq!(charge(PeriodKind::Year, 1997), Some(12_000));
        // 73 days are a fifth of a year: 2.4 months.
        assert_eq!(charge(PeriodKind::Whole, 0), Some(2_400));
        assert_eq!(capital_charge_on_sales(100_000, 73, rate, RatePeriod::Month), Some(2_400));
    }

    #[test]
    fn an_average_balance_is_not_rounded_before_it_is_charged() {
        // Mean of 1 and 2 is 1.5 minor units; at 100 % for a year that is 2, at 33 % 0.495 → 0, not 0.66 → 1.
        let year = Span::of_days(365, RatePeriod::Year);
        assert_eq!(capital_charge(3, 2, decimal("1"), year), Some(2));
        assert_eq!(capital_charge(3, 2, decimal("0.33"), year), Some(0));
        assert_eq!(capital_charge(-3, 2, decimal("1"), year), Some(-2));
        assert_eq!(capital_charge(0, 0, decimal("1"), year), Some(0));
    }

    #[test]
    fn expected_loss_is_exposure_times_probability_times_loss() {
        let setting = BadDebt {
            probability: Some(decimal("0.02")),
            per_year: false,
            loss: decimal("0.60"),
            days: None,
            by_grade: false,
        };
        // 100,000.00 · 2 % · 60 % = 1,200.00.
        let row = Receivable {
            balance_sum: 10_000_000,
            balances: 1,
            defaulting: 10_000_000 * i128::from(PROBABILITY_SCALE) / 50,
            ..Receivable::default()
        };
        assert_eq!(loss(setting, 0, vec![row]), 120_000);
        // Per year, over 73 days: a fifth.
        assert_eq!(loss(BadDebt { per_year: true, ..setting }, 0, vec![row]), 24_000);
        // On 73 days of sales of 500,000.00: the same balance.
        assert_eq!(loss(BadDebt { days: Some(73), ..setting }, 50_000_000, vec![]), 120_000);
        assert_eq!(loss(BadDebt { days: Some(73), ..setting }, -50_000_000, vec![]), 0);
    }

    #[test]
    fn write_offs_are_bad_debt_where_no_loss_is_expected() {
        let receivables = vec![Receivable { write_off: -700, ..Receivable::default() }];
        let inputs = EconomicInputs { receivables: receivables.into(), ..EconomicInputs::default() };
        assert_eq!(economic_cost(&cell(1), &[1], &[1], &inputs).unwrap().bad_debt, [-700]);
    }

    #[test]
    fn commission_is_taken_back_only_when_it_is_said() {
        let setting = Commissions { rate: decimal("0.05"), of: CommissionBase::NetRevenue, clawback: false };
        assert_eq!(commission(1_010, &setting), Some(50));
        assert_eq!(commission(1_030, &setting), Some(52));
        assert_eq!(commission(-1_000, &setting), Some(0));
        assert_eq!(commission(-1_000, &Commissions { clawback: true, ..setting }), Some(-50));
    }

    #[test]
    fn a_commission_has_the_base_that_was_asked_for() {
        let with = |of| {
            let commissions = Some(Commissions { rate: decimal("0.1"), of, clawback: false });
            let settings = EconomicSettings { commissions, ..EconomicSettings::default() };
            let inputs = EconomicInputs { settings, ..EconomicInputs::default() };
            economic_cost(&cell(3_000), &[2_000], &[1_000], &inputs).unwrap().commissions[0]
        };
        assert_eq!(with(CommissionBase::GrossSales), 300);
        assert_eq!(with(CommissionBase::NetRevenue), 200);
        assert_eq!(with(CommissionBase::Cm1), 100);
    }

    #[test]
    fn a_part_beyond_64_bits_is_an_error() {
        let setting = Commissions { rate: decimal("10"), of: CommissionBase::Cm1, clawback: true };
        assert_eq!(commission(i64::MAX, &setting), None);
    }

    proptest! {
        #[test]
        fn charges_on_sales_of_months_add_up_to_that_of_the_year(
            sales in prop::collection::vec(-1_000_000_000..1_000_000_000_i64, 12), days in 1..400_u16,
        ) {
            let rate = decimal("0.085");
            let of = |sales: i64| capital_charge_on_sales(sales, days, rate, RatePeriod::Year).unwrap();
            let months: i64 = sales.iter().map(|sales| of(*sales)).sum();
            // Twelve roundings of half a minor unit, and the year's own.
            prop_assert!((months - of(sales.iter().sum())).abs() <= 6);
        }

        #[test]
        fn a_common_probability_is_the_same_by_balance_and_in_all(
            balance in 0..1_000_000_000_000_i64, probability in 0..=1_000_000_000_000_i64,
        ) {
            let exact = Decimal { mantissa: i128::from(probability), scale: 12 };
            let setting = BadDebt { probability: Some(exact), per_year: false, loss: decimal("0.45"), days: None, by_grade: false };
            let row = Receivable {
                balance_sum: i128::from(balance),
                balances: 1,
                defaulting: i128::from(balance) * i128::from(probability),
                ..Receivable::default()
            };
            let once = exact.multiply(decimal("0.45")).unwrap();
            let wanted = divide_half_even(i128::from(balance) * once.mantissa, power_of_ten(once.scale).unwrap());
            prop_assert_eq!(i128::from(loss(setting, 0, vec![row])), wanted);
        }
    }
}
