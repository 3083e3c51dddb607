//! Contract of the table of exchange rates, and the conversion of cost lines.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::{
    ContractError,
    columns::Batch,
    costed::{Costed, at_stake},
    rules::Tally,
    small_table::{Input, Slice, demote, split_duplicates},
    when::{timed, when, with_time},
};
use crate::{
    numeric::decimal::{Decimal, divide_half_even, power_of_ten},
    schema::{
        fx::{ExactRate, FxRate, RateKind},
        money::Currency,
        period::{ALL, Period, PeriodKind},
        tables::PoolLine,
    },
    units::{Minor, MinorSum},
};

/// One rate of the table, by what makes two of them duplicates; the rate by mantissa and scale, so that rows sort.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    currency: String,
    period: Option<Period>,
    kind: Option<RateKind>,
    token: i64,
    day: i32,
    rate: (i128, u32),
}

/// The rates of every currency and period, of the kind that the config asks for.
///
/// Several rates of a period (a table by `date`) are averaged, exactly, or the last of them closes the period. A table
/// without `kind` serves both kinds.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn rates(input: &Input<'_>) -> Result<(Vec<FxRate>, Tally), ContractError> {
    let wrong: Mutex<BTreeSet<String>> = Mutex::default();
    let mut twice: BTreeSet<String> = BTreeSet::new();
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, Row>| judge(input, slice, &wrong))?;
    rows.sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| (&a.currency, a.period, a.kind, a.token) == (&b.currency, b.period, b.kind, b.token),
        |row| {
            let rate = Decimal { mantissa: row.rate.0, scale: row.rate.1 }.to_string();
            let mut cells = serde_json::json!({"currency": row.currency, "rate": rate});
            if let Some(kind) = row.kind {
                cells["kind"] = if kind == RateKind::Average { "average" } else { "closing" }.into();
            }
            let cells = with_time(cells, input, row.token);
            let reason = "currency, kind and date or period stand more than once";
            twice.extend(told(&row.currency, row.period, input));
            demote(&mut tally, &input.rules, "duplicate_key", reason, &cells, None);
        },
    );
    let wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    input.rules.judge_of(&tally.balance, |rule| match rule {
        "invalid_rate" => listed(&wrong),
        "duplicate_key" => listed(&twice),
        _ => None,
    })?;
    let wanted = input.settings.fx.kind;
    let rows: Vec<Row> = rows.into_iter().filter(|row| row.kind.is_none_or(|kind| kind == wanted)).collect();
    let of_period = rows.chunk_by(|a, b| (&a.currency, a.period) == (&b.currency, b.period));
    let rate = |rows: &[Row]| {
        let first = &rows[0];
        let rate = match wanted {
            RateKind::Average => mean(rows),
            RateKind::Closing => rows.iter().max_by_key(|row| row.day).and_then(|row| mean(std::slice::from_ref(row))),
        };
        let too_long = || ContractError::Setting(format!("fx: the rates of {} have too many digits", first.currency));
        Ok(FxRate { currency: first.currency.clone(), period: first.period, rate: rate.ok_or_else(too_long)? })
    };
    Ok((of_period.map(rate).collect::<Result<_, ContractError>>()?, tally))
}

/// Most rates that a message lists.
const MAX_TOLD: usize = 20;

/// A rate by currency and period; `None` where the currency is none, as then its code is a cell like any other.
fn told(code: &str, period: Option<Period>, input: &Input<'_>) -> Option<String> {
    let (run, kind) = (&input.settings.currency, input.settings.period);
    let code = currency(code, run).filter(|_| !code.is_empty())?.code;
    let period = period.filter(|_| kind != PeriodKind::Whole);
    Some(period.map_or_else(|| code.clone(), |period| format!("{code} in {}", kind.label(period))))
}

fn listed(rates: &BTreeSet<String>) -> Option<String> {
    let listed: Vec<&str> = rates.iter().take(MAX_TOLD).map(String::as_str).collect();
    let more = if rates.len() > MAX_TOLD { ", …" } else { "" };
    (!listed.is_empty()).then(|| format!("of {}{more}", listed.join(", ")))
}

/// * `wrong`: takes the currencies and periods of rates that are none.
fn judge(input: &Input<'_>, slice: &mut Slice<'_, Row>, wrong: &Mutex<BTreeSet<String>>) -> Result<(), ContractError> {
    let currencies = slice.batch.texts("currency")?.ok_or_else(|| slice.absent("currency"))?;
    // An integer rate is a whole number: 1 is 1.
    let rates = slice.batch.decimals("rate", 0)?.ok_or_else(|| slice.absent("rate"))?;
    let kinds = slice.batch.texts("kind")?;
    let times = when(&slice.batch, input.settings.period)?;
    for row in 0..slice.height() {
        let currency = currencies[row].as_deref().unwrap_or_default().trim().to_owned();
        let kind = match kinds.as_ref().map(|kinds| kinds[row].as_deref().unwrap_or_default().trim()) {
            None => Ok(None),
            Some("average") => Ok(Some(RateKind::Average)),
            Some("closing") => Ok(Some(RateKind::Closing)),
            Some(_) => Err(("unknown_kind", "the kind is neither average nor closing")),
        };
        let verdict = match (kind, rates[row].map(Decimal::normalised)) {
            _ if currency.is_empty() => Err(("missing_currency", "the currency is null or empty")),
            (Err(broken), _) => Err(broken),
            (_, None) => Err(("invalid_rate", "the rate is null or not a finite number")),
            (_, Some(rate)) if rate.mantissa <= 0 => Err(("invalid_rate", "the rate is not above zero")),
            (_, Some(rate)) if currency == input.settings.currency.code && rate != ExactRate::ONE.sum => {
                Err(("invalid_rate", "the run's own currency has another rate than 1"))
            }
            (Ok(kind), Some(rate)) => timed(input, times.as_ref(), row).map(|when| Row {
                currency,
                period: times.is_some().then_some(when.period),
                kind,
                token: when.token,
                day: when.day.unwrap_or(0),
                rate: (rate.mantissa, rate.scale),
            }),
        };
        if matches!(verdict, Err(("invalid_rate", _))) {
            let period = times.as_ref().and_then(|times| times[row]).map(|when| when.period);
            let code = currencies[row].as_deref().unwrap_or_default().trim();
            wrong.lock().unwrap_or_else(PoisonError::into_inner).extend(told(code, period, input));
        }
        slice.row(row, None, verdict);
    }
    Ok(())
}

/// The mean of some rates, as a sum and a count; `None` when the sum has too many digits.
fn mean(rows: &[Row]) -> Option<ExactRate> {
    let scale = rows.iter().map(|row| row.rate.1).max()?;
    let sum = rows
        .iter()
        .try_fold(0_i128, |sum, row| sum.checked_add(row.rate.0.checked_mul(power_of_ten(scale - row.rate.1)?)?))?;
    let rate = Decimal { mantissa: sum, scale };
    Some(ExactRate { sum: if rows.len() == 1 { rate.normalised() } else { rate }, count: rows.len() as u32 })
}

/// Which currency and amount a row of costs has.
pub(super) struct Amounts {
    currencies: Option<Vec<Option<String>>>,
    own: Option<Vec<i64>>,
    decimals: Vec<Option<Decimal>>,
    integers: bool,
}

impl Amounts {
    /// The amounts of a batch: integers are minor units of their own currency.
    pub(super) fn read(batch: &Batch<'_>, input: &Input<'_>) -> Result<Option<Self>, ContractError> {
        let Some(currencies) = batch.texts("currency")? else {
            let own = batch.numbers("amount", input.money())?;
            return Ok(own.map(|own| Self { currencies: None, own: Some(own), decimals: Vec::new(), integers: false }));
        };
        let integers = batch.series("amount").is_some_and(|series| series.dtype().is_integer());
        let decimals = batch.decimals("amount", 0)?;
        Ok(decimals.map(|decimals| Self { currencies: Some(currencies), own: None, decimals, integers }))
    }

    /// The amount of a row whose currency is none, as a number of units, or of minor units where amounts are integers.
    ///
    /// * `digits`: that are kept of it.
    pub(super) fn of_nobody(&self, row: usize, digits: u8) -> Option<Minor> {
        let digits = if self.integers { 0 } else { digits };
        self.decimals.get(row).copied().flatten()?.to_scaled(u32::from(digits))
    }

    /// Whether amounts are minor units.
    pub(super) fn are_integers(&self) -> bool {
        self.integers
    }

    /// Code and amount in its minor units; an amount that is none is `None`, a currency that is none an error.
    pub(super) fn of_row(&self, row: usize, run: &Currency) -> (Result<String, ()>, Option<Minor>) {
        if let Some(own) = &self.own {
            return (Ok(run.code.clone()), super::columns::is_number(own[row]).then_some(own[row]));
        }
        let code = self.currencies.as_ref().and_then(|codes| codes[row].as_deref()).unwrap_or_default().trim();
        let Some(currency) = currency(code, run) else { return (Err(()), None) };
        let digits = if self.integers { 0 } else { u32::from(currency.exponent) };
        let amount = self.decimals[row].and_then(|amount| amount.to_scaled(digits));
        (Ok(currency.code), amount.filter(|amount| super::columns::is_number(*amount)))
    }
}

/// The currency of a code; no code is the run's own currency.
fn currency(code: &str, run: &Currency) -> Option<Currency> {
    if code.is_empty() || code == run.code { Some(run.clone()) } else { Currency::from_code(code) }
}

/// A currency and period without a rate, the money that waits for it, and the pools that it is for.
type Gap = (String, Option<Period>, MinorSum, BTreeSet<String>);

/// Adds up cost lines by account, cost centre, activity, period and currency, and converts each sum once.
///
/// `converted = amount · rate · 10^(digits of the run's currency − digits of the other)`, half to even. The sum comes
/// first, in minor units of its own currency, so that the order and the number of lines move nothing.
///
/// * `lines`: as they were read, in any order.
/// * `run`, `period`: currency and periods of the run. * `costed`: what the lines are the cost of.
///
/// # Errors
/// [`ContractError::FxGap`] with every currency and period without a rate, and the money that waits for it;
/// [`ContractError::Setting`] when a sum does not fit.
pub fn convert(
    mut lines: Vec<PoolLine>,
    rates: &[FxRate],
    wanted: RateKind,
    run: &Currency,
    period: PeriodKind,
    costed: &Costed<'_>,
) -> Result<Vec<PoolLine>, ContractError> {
    lines.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
    let mut merged: Vec<PoolLine> = Vec::new();
    for line in lines {
        match merged.last_mut().filter(|last| last.key() == line.key()) {
            Some(last) => {
                last.amount = last.amount.checked_add(line.amount).ok_or_else(|| too_large(&line.activity))?;
            }
            None => merged.push(line),
        }
    }
    let mut gaps: Vec<Gap> = Vec::new();
    for line in &mut merged {
        if line.currency == run.code {
            line.converted = line.amount;
            continue;
        }
        let in_period = if period == PeriodKind::Whole { Some(0) } else { line.period };
        let of_line =
            |rate: &&FxRate| rate.currency == line.currency && (rate.period.is_none() || in_period == rate.period);
        if let Some(found) = rates.iter().find(of_line) {
            line.rate = found.rate;
            line.converted = exchange(line, run).ok_or_else(|| too_large(&line.activity))?;
            continue;
        }
        let same = |gap: &&mut Gap| gap.0 == line.currency && gap.1 == line.period;
        let money = MinorSum::from(line.amount.unsigned_abs());
        if let Some(gap) = gaps.iter_mut().find(same) {
            gap.2 += money;
            gap.3.insert(line.activity.clone());
        } else {
            gaps.push((line.currency.clone(), line.period, money, BTreeSet::from([line.activity.clone()])));
        }
    }
    if gaps.is_empty() {
        return Ok(merged);
    }
    gaps.sort_unstable();
    let told = |(code, at, money, of): Gap| {
        let of: Vec<String> = of.iter().map(|name| costed.told(name, at)).collect();
        let at = at.map_or_else(|| ALL.to_owned(), |at| period.label(at));
        let (kind, money) = (wanted.as_str(), at_stake(money, &code, run));
        format!("pools: no {kind} rate of {code} for period {at}; {money} of {} are at stake", of.join(", "))
    };
    Err(ContractError::FxGap { gaps: gaps.into_iter().map(told).collect() })
}

fn too_large(activity: &str) -> ContractError {
    ContractError::Setting(format!("pools: activity `{activity}` exceeds 9.2·10¹⁸ minor units"))
}

/// A line's amount in minor units of the run; `None` when it does not fit.
fn exchange(line: &PoolLine, run: &Currency) -> Option<Minor> {
    let digits = currency(&line.currency, run)?.exponent;
    let rate = line.rate.sum.normalised();
    let up = power_of_ten(u32::from(run.exponent.saturating_sub(digits)))?;
    let down = power_of_ten(u32::from(digits.saturating_sub(run.exponent)))?;
    let numerator = i128::from(line.amount).checked_mul(rate.mantissa)?.checked_mul(up)?;
    let denominator = power_of_ten(rate.scale)?.checked_mul(down)?.checked_mul(line.rate.count.into())?;
    i64::try_from(divide_half_even(numerator, denominator)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(account: &str, period: Option<Period>, currency: &str, amount: Minor) -> PoolLine {
        PoolLine {
            account: Some(account.to_owned()),
            cost_centre: None,
            activity: "freight".to_owned(),
            period,
            currency: currency.to_owned(),
            amount,
            rate: ExactRate::ONE,
            converted: 0,
        }
    }

    fn rate(currency: &str, period: Option<Period>, text: &str) -> FxRate {
        let rate = ExactRate { sum: Decimal::parse(text).unwrap(), count: 1 };
        FxRate { currency: currency.to_owned(), period, rate }
    }

    fn converted(lines: Vec<PoolLine>, rates: &[FxRate], run: &str) -> Result<Vec<Minor>, ContractError> {
        let run = Currency::from_code(run).unwrap();
        let lines = convert(
            lines,
            rates,
            RateKind::Average,
            &run,
            PeriodKind::Month,
            &Costed::new(std::collections::BTreeMap::new(), PeriodKind::Month, None),
        )?;
        Ok(lines.iter().map(|line| line.converted).collect())
    }

    #[test]
    fn minor_units_of_every_currency_become_those_of_the_run() {
        // 1,000,000 yen at 0.0061 are 6,100.00 euros; 1.234 dinars at 3.01 are 3.71434, 3.71 euros.
        let rates = [rate("JPY", None, "0.0061"), rate("KWD", None, "3.01")];
        let lines =
            || vec![line("1", None, "JPY", 1_000_000), line("2", None, "KWD", 1_234), line("3", None, "EUR", 7)];
        assert_eq!(converted(lines(), &rates, "EUR").unwrap(), [610_000, 371, 7]);
        // 7 cents at 160.5 are 11.235 yen.
        assert_eq!(converted(vec![line("1", None, "EUR", 7)], &[rate("EUR", None, "160.5")], "JPY").unwrap(), [11]);
    }

    #[test]
    fn lines_of_one_account_are_added_before_they_are_converted() {
        // Three times 0.33 at 0.5 is 0.495, 0.50 rounded half to even; one by one 0.165 three times would be 0.48.
        let rates = [rate("USD", Some(24_002), "0.5")];
        let lines = vec![line("1", Some(24_002), "USD", 33); 3];
        assert_eq!(converted(lines, &rates, "EUR").unwrap(), [50]);
        let apart = (0..3).map(|i| line(&i.to_string(), Some(24_002), "USD", 33)).collect();
        assert_eq!(converted(apart, &rates, "EUR").unwrap(), [16, 16, 16]);
    }

    #[test]
    fn a_mean_of_rates_is_not_rounded() {
        let row = |rate| Row { currency: String::new(), period: None, kind: None, token: 0, day: 0, rate };
        // (1 + 1 + 1.1) / 3 = 1.0333…: 300.00 become 310.00 exactly.
        let mean = mean(&[row((1, 0)), row((1, 0)), row((11, 1))]).unwrap();
        assert_eq!((mean.to_string().as_str(), mean.count), ("3.1/3", 3));
        let rates = [FxRate { currency: "USD".to_owned(), period: None, rate: mean }];
        assert_eq!(converted(vec![line("1", None, "USD", 30_000)], &rates, "EUR").unwrap(), [31_000]);
    }

    #[test]
    fn every_gap_is_told_with_currency_period_and_money() {
        let rates = [rate("USD", Some(2024 * 12), "0.9"), rate("JPY", Some(2024 * 12 + 1), "0.006")];
        let lines = vec![
            line("1", Some(2024 * 12 + 1), "USD", 1_234_567),
            line("2", Some(2024 * 12 + 1), "USD", -100),
            line("2", Some(2024 * 12), "JPY", 5_000),
            line("2", None, "JPY", 1),
            line("2", Some(2024 * 12), "USD", 1),
        ];
        insta::assert_snapshot!(converted(lines, &rates, "EUR").unwrap_err(), @r"
        pools: no average rate of JPY for period all; 1 JPY of freight are at stake
        pools: no average rate of JPY for period 2024-01; 5,000 JPY of freight are at stake
        pools: no average rate of USD for period 2024-02; 12,346.67 USD of freight are at stake
        ");
    }

    proptest! {
        #[test]
        fn order_and_split_of_lines_move_nothing(
            rows in prop::collection::vec((0..3_u8, 0..2_i32, -1_000_000..1_000_000_i64), 1..30),
        ) {
            let rates = [rate("USD", Some(0), "0.917431"), rate("USD", Some(1), "1.2")];
            let lines: Vec<PoolLine> =
                rows.iter().map(|(account, period, amount)| line(&account.to_string(), Some(*period), "USD", *amount)).collect();
            let mut split: Vec<PoolLine> = lines.iter().flat_map(|whole| {
                let part = |amount| PoolLine { amount, ..whole.clone() };
                [part(whole.amount - 1), part(1)]
            }).collect();
            split.reverse();
            prop_assert_eq!(converted(lines, &rates, "EUR").unwrap(), converted(split, &rates, "EUR").unwrap());
        }
    }
}
