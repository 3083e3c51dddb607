//! Part 6: what customers are worth: distribution, uncertainty, groups; equity beside sales, our part of the market, the
//! bridge.

use maud::{Markup, html};

use super::{
    Report,
    profit::Segment,
    retention::Retention,
    suppress::hidden,
    table::{figure, nothing, table, untold},
    words::{days, each, of_customers, part, perhaps_part, ratio, spoken},
};
use crate::{
    report::{
        bars::{Bar, Bars, Tone},
        number::count,
        plot::{Band as PlotBand, Plot, Series, Stroke},
        sheet::{Range, Unit},
    },
    schema::money::Currency,
    units::MinorSum,
};

/// What customers are worth.
#[derive(Clone, Debug, Default)]
pub(crate) struct Value {
    pub(crate) bands: Vec<Band>,
    /// Probabilities of the quantiles, ascending.
    pub(crate) levels: Vec<f64>,
    pub(crate) fan: Vec<FanPoint>,
    /// Rows of `segment_equity`.
    pub(crate) equity: Vec<EquityRow>,
    /// Steps of the bridge of all customers.
    pub(crate) bridge: Vec<(String, MinorSum)>,
    /// Day of the opening equity.
    pub(crate) bridge_from: Option<String>,
    /// How long customers stay under contract; empty without contracts.
    pub(crate) retention: Retention,
    /// Competitors of the whole market: name, equity, share.
    pub(crate) market: Vec<(String, MinorSum, Option<f64>)>,
}

/// Customers whose expected value lies in a band.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Band {
    /// Above this many minor units; `None` below zero.
    pub(crate) above: Option<i64>,
    /// Up to this many; `None` in the last band.
    pub(crate) up_to: Option<i64>,
    pub(crate) customers: u64,
    pub(crate) value: MinorSum,
}

/// Customers of about the same rank by mean lifetime value.
#[derive(Clone, Debug, Default)]
pub(crate) struct FanPoint {
    /// Middle of their ranks over all customers.
    pub(crate) share: f64,
    /// Means of their quantiles, minor units.
    pub(crate) quantiles: Vec<f64>,
    pub(crate) customers: u64,
}

/// A segment's part of sales and of equity.
#[derive(Clone, Debug, Default)]
pub(crate) struct EquityRow {
    pub(crate) segmentation: String,
    pub(crate) name: String,
    pub(crate) customers: u64,
    pub(crate) equity: Option<MinorSum>,
    pub(crate) share_of_sales: Option<f64>,
    pub(crate) share_of_margin: Option<f64>,
    pub(crate) share_of_equity: Option<f64>,
}

/// Points of the fan.
const FAN: usize = 50;

/// Bands of customers by expected value: losses, nothing to speak of, then 1, 2, 5, 10, … major units.
///
/// * `values`: minor units, one a customer with a forecast. `smallest`: fewest customers of the last band.
pub(crate) fn bands(values: &[i64], currency: &Currency, smallest: u64) -> Vec<Band> {
    let unit = currency.minor_per_major();
    let largest = values.iter().copied().max().unwrap_or(0);
    let mut edges = vec![0_i64];
    for power in 0..18 {
        for digit in [1, 2, 5] {
            let edge = 10_i64.checked_pow(power).and_then(|ten| ten.checked_mul(digit)?.checked_mul(unit));
            edges.extend(edge.filter(|_| edges.last().is_some_and(|last| *last < largest)));
        }
    }
    let mut bands: Vec<Band> = vec![Band { above: None, up_to: Some(0), ..Band::default() }];
    bands.extend(edges.windows(2).map(|pair| Band { above: Some(pair[0]), up_to: Some(pair[1]), ..Band::default() }));
    for value in values {
        // Values of a band lie above its lower and up to its upper edge.
        let number = edges.partition_point(|edge| edge < value).min(bands.len() - 1);
        bands[number].customers += 1;
        bands[number].value += MinorSum::from(*value);
    }
    // Narrow bands at the bottom say little where nobody is in them.
    while bands.len() > 2 && bands[1].customers == 0 {
        let taken = bands.remove(1);
        bands[1].above = taken.above;
    }
    // Few have most: they stand in one band.
    while bands.len() > 2 && bands[bands.len() - 1].customers < smallest {
        let (customers, value) = bands.pop().map_or((0, 0), |band| (band.customers, band.value));
        let last = bands.len() - 1;
        bands[last].customers += customers;
        bands[last].value += value;
        bands[last].up_to = None;
    }
    bands
}

/// Means of the customers' quantiles along their rank by mean lifetime value, best first.
///
/// * `mean`: simulated mean of every customer, minor units. `quantiles`: one column a probability.
/// * `smallest`: fewest customers of a point.
pub(crate) fn fan(mean: &[i64], quantiles: &[Vec<i64>], smallest: u64) -> Vec<FanPoint> {
    let mut order: Vec<usize> = (0..mean.len()).collect();
    order.sort_by_key(|row| (std::cmp::Reverse(mean[*row]), *row));
    let points = FAN.min(mean.len() / smallest.max(1) as usize);
    let cut = |point: usize| mean.len() * point / points.max(1);
    let point = |number: usize| {
        let rows = &order[cut(number)..cut(number + 1)];
        let average = |column: &Vec<i64>| {
            let sum: MinorSum = rows.iter().map(|row| MinorSum::from(column[*row])).sum();
            sum as f64 / rows.len() as f64
        };
        FanPoint {
            share: (cut(number) + cut(number + 1)) as f64 / (2 * mean.len()) as f64,
            quantiles: quantiles.iter().map(average).collect(),
            customers: rows.len() as u64,
        }
    };
    (0..points).map(point).collect()
}

impl Report {
    pub(super) fn value_part(&self) -> Markup {
        let (Some(value), Some(all)) = (&self.value, &self.summary) else {
            return nothing(
                "What customers are worth is not known: the run had no forecast.",
                "A `forecast` block in the config gives it.",
            );
        };
        html! {
            p {
                "A customer's value is what is still to come: expected purchases, times what they spend, times what is left of it "
                "after its own cost to serve, discounted"
                @if let Some(horizon) = all.horizon_days { ", over the next " (days(horizon)) }
                ". "
                @if let Some((expected, customers)) = all.expected_value.zip(Some(all.customers)).filter(|_| self.tells(all.customers)) {
                    "That is " strong { (self.money(each(expected, customers))) } " a customer in the mean, "
                    strong { (self.money(expected)) } " in all."
                }
            }
            (self.bands_figure(value))
            (self.fan_figure(value))
            (self.retention_figure(&value.retention))
            (self.tiers_figure())
            (self.equity_table(value))
            (self.market(value))
            (self.bridge(value))
        }
    }

    fn bands_figure(&self, value: &Value) -> Markup {
        let customers: u64 = value.bands.iter().map(|band| band.customers).sum();
        let total: MinorSum = value.bands.iter().map(|band| band.value).sum();
        let counts: Vec<u64> = value.bands.iter().map(|band| band.customers).collect();
        let hidden = hidden(&counts, self.smallest_group);
        let (mut bars, mut rows) = (Vec::new(), Vec::new());
        for (band, hidden) in value.bands.iter().zip(&hidden) {
            let name = self.band_name(band);
            if *hidden {
                bars.push(Bar::untold(name.clone()));
                rows.push(untold(name, 4));
                continue;
            }
            let text = format!("{} of customers · {}", of_customers(band.customers, customers), self.money(band.value));
            let tone = if band.above.is_none() { Tone::Loss } else { Tone::Gain };
            bars.push(Bar::of(name.clone(), i128::from(band.customers), tone, text));
            rows.push(vec![
                name,
                count(band.customers),
                of_customers(band.customers, customers),
                self.money(band.value),
            ]);
        }
        let picture = Bars {
            id: "value-picture",
            name: "Customers by expected value",
            description: &format!("{} customers with a forecast, together {}.", count(customers), self.money(total)),
            rows: &bars,
            joined: false,
        };
        let columns = [("Expected value", false), ("Customers", true), ("of all", true), ("Value", true)];
        figure("Customers by expected value", picture.svg(), &table("Customers by expected value", &columns, &rows))
    }

    fn band_name(&self, band: &Band) -> String {
        match (band.above, band.up_to) {
            (None, _) => "nothing or a loss".to_owned(),
            (Some(0), Some(high)) => format!("up to {}", self.money(high.into())),
            (Some(low), Some(high)) => format!("{} to {}", self.money(low.into()), self.money(high.into())),
            (Some(low), None) => format!("above {}", self.money(low.into())),
        }
    }

    fn fan_figure(&self, value: &Value) -> Markup {
        let levels = value.levels.len();
        if value.fan.len() < 5 || levels < 3 {
            return html! {};
        }
        let at = |level: usize| value.fan.iter().map(move |point| (point.share * 100.0, point.quantiles[level]));
        let band = |low: usize, high: usize| -> Vec<(f64, f64, f64)> {
            at(low).zip(at(high)).map(|((x, low), (_, high))| (x, low, high)).collect()
        };
        let name = |low: usize, high: usize| format!("{} of the futures", part(value.levels[high] - value.levels[low]));
        let (outer, inner) = (name(0, levels - 1), name(1, levels.saturating_sub(2)));
        let mut bands = vec![PlotBand { name: &outer, class: "band-outer", points: band(0, levels - 1) }];
        if levels >= 5 {
            bands.push(PlotBand { name: &inner, class: "band-inner", points: band(1, levels - 2) });
        }
        let middle = levels / 2;
        let values = || value.fan.iter().flat_map(|point| point.quantiles.iter().copied());
        let (low, high) = (values().fold(0.0, f64::min), values().fold(1.0, f64::max));
        let median = format!("{} quantile", part(value.levels[middle]));
        let first = &value.fan[0];
        let plot = Plot {
            id: "fan-picture",
            name: "Quantiles of lifetime value along the customers",
            description: &format!(
                "The best {} of the customers: between {} and {} each in {}.",
                of_customers(first.customers, value.fan.iter().map(|point| point.customers).sum()),
                self.money(first.quantiles[0] as MinorSum),
                self.money(first.quantiles[levels - 1] as MinorSum),
                outer
            ),
            x: Range {
                name: "share of customers, highest lifetime value first",
                low: 0,
                high: 100,
                unit: Unit::Percent,
            },
            y: Range {
                name: &format!("lifetime value of a customer, {}", self.currency.code),
                low: low.floor() as i128,
                high: high.ceil() as i128,
                unit: Unit::Money(&self.currency),
            },
            bands,
            series: vec![Series { name: &median, stroke: Stroke::First, points: at(middle).collect() }],
        };
        let rows: Vec<Vec<String>> = value
            .fan
            .iter()
            .step_by(5)
            .map(|point| {
                let quantiles =
                    point.quantiles.iter().map(|quantile| self.money(quantile.round_ties_even() as MinorSum));
                std::iter::once(part(point.share)).chain(quantiles).collect()
            })
            .collect();
        let names: Vec<String> = value.levels.iter().map(|level| format!("{} quantile", part(*level))).collect();
        let mut columns = vec![("Rank", false)];
        columns.extend(names.iter().map(|name| (name.as_str(), true)));
        html! {
            h3 { "How sure is that?" }
            p {
                "Of a single customer, not very: the band holds what comes of it in the simulated futures. Over many customers "
                "it evens out, as the groups below show."
            }
            (figure("Lifetime value, customers sorted by their mean", plot.svg(), &table("Quantiles of lifetime value", &columns, &rows)))
        }
    }

    fn tiers_figure(&self) -> Markup {
        let tiers: Vec<&Segment> = self.profit.segments.iter().filter(|row| row.segmentation == "value_tier").collect();
        let counts: Vec<u64> = tiers.iter().map(|tier| tier.customers).collect();
        let hidden = hidden(&counts, self.smallest_group);
        let mut told: Vec<&Segment> =
            tiers.iter().zip(&hidden).filter(|(_, hidden)| !**hidden).map(|(tier, _)| *tier).collect();
        told.sort_by_key(|tier| std::cmp::Reverse(tier.expected_value.map_or(0, |value| each(value, tier.customers))));
        if told.is_empty() {
            return html! {};
        }
        // Of all customers, also of those whose tier is not told.
        let all = self.summary.as_ref().and_then(|all| all.expected_value);
        let total: MinorSum = all.unwrap_or_else(|| tiers.iter().filter_map(|tier| tier.expected_value).sum());
        let bars: Vec<Bar> = told
            .iter()
            .map(|tier| {
                let value = tier.expected_value.unwrap_or(0);
                let text = format!("{} · {} of all", self.money(value), ratio(value, total));
                Bar::of(format!("{} ({})", tier.name, count(tier.customers)), value, Tone::of(value), text)
            })
            .collect();
        let rows: Vec<Vec<String>> = told
            .iter()
            .map(|tier| {
                let ends = tier.quantiles.first().zip(tier.quantiles.last());
                vec![
                    tier.name.clone(),
                    count(tier.customers),
                    self.perhaps(tier.expected_value),
                    ends.map_or_else(
                        || "–".to_owned(),
                        |(low, high)| format!("{} to {}", self.money(low.1), self.money(high.1)),
                    ),
                    self.perhaps(tier.expected_value.map(|value| each(value, tier.customers))),
                    self.money(tier.economic_profit),
                ]
            })
            .collect();
        let picture = Bars {
            id: "tiers-picture",
            name: "Expected value by value tier",
            description: &format!("{} tiers of customers who are together worth {}.", told.len(), self.money(total)),
            rows: &bars,
            joined: false,
        };
        let interval = self
            .summary
            .as_ref()
            .and_then(super::result::Summary::interval)
            .map_or_else(|| "Interval".to_owned(), |(probability, ..)| format!("{} interval", part(probability)));
        let columns = [
            ("Tier", false),
            ("Customers", true),
            ("Expected value", true),
            (interval.as_str(), true),
            ("a customer", true),
            ("Profit to date", true),
        ];
        figure("Expected value by value tier", picture.svg(), &table("Value tiers", &columns, &rows))
    }

    /// Sales, margin and equity beside each other, of the segmentation that says most.
    fn equity_table(&self, value: &Value) -> Markup {
        let of = |segmentation: &str| -> Vec<&EquityRow> {
            value.equity.iter().filter(|row| row.segmentation == segmentation).collect()
        };
        let shown = ["segment", "channel", "region", "portfolio_group"];
        let Some(rows) = shown.map(of).into_iter().find(|rows| rows.len() > 1 && rows.len() <= 20) else {
            return html! {};
        };
        let name = spoken(&rows[0].segmentation);
        let counts: Vec<u64> = rows.iter().map(|row| row.customers).collect();
        let hidden = hidden(&counts, self.smallest_group);
        let cells: Vec<Vec<String>> = rows
            .iter()
            .zip(&hidden)
            .map(|(row, hidden)| {
                if *hidden {
                    return untold(spoken(&row.name), 6);
                }
                vec![
                    spoken(&row.name),
                    count(row.customers),
                    perhaps_part(row.share_of_sales),
                    perhaps_part(row.share_of_margin),
                    perhaps_part(row.share_of_equity),
                    self.perhaps(row.equity),
                ]
            })
            .collect();
        let columns = [
            ("Group", false),
            ("Customers", true),
            ("of net revenue", true),
            ("of product margin", true),
            ("of customer equity", true),
            ("Equity", true),
        ];
        html! {
            h3 { "What a sales figure hides" }
            p { "Beside its part of the sales, each " (name) "'s part of what the base is worth." }
            (table(&format!("Sales, margin and equity by {name}"), &columns, &cells))
        }
    }

    fn market(&self, value: &Value) -> Markup {
        let Some(ours) = value.market.iter().find(|row| row.0 == "(own)") else { return html! {} };
        let rows: Vec<Vec<String>> = value
            .market
            .iter()
            .map(|(name, equity, share)| vec![name.clone(), self.money(*equity), perhaps_part(*share)])
            .collect();
        html! {
            h3 { "Our part of the market" }
            p { "Our customers' value is " strong { (perhaps_part(ours.2)) } " of that of all customers of the market." }
            (table("Share of customer equity", &[("Whose", false), ("Equity", true), ("Share", true)], &rows))
        }
    }

    fn bridge(&self, value: &Value) -> Markup {
        if value.bridge.len() < 2 {
            return html! {};
        }
        let mut level: MinorSum = 0;
        let mut bars = Vec::new();
        for (component, amount) in &value.bridge {
            let is_sum = component == "opening" || component == "closing";
            let from = if is_sum { 0 } else { level };
            let to = from + amount;
            level = to;
            let tone = if is_sum { Tone::Total } else { Tone::of(*amount) };
            bars.push(Bar {
                label: spoken(component),
                from: from as f64,
                to: to as f64,
                tone,
                text: self.money(*amount),
            });
        }
        let rows: Vec<Vec<String>> =
            value.bridge.iter().map(|(component, amount)| vec![spoken(component), self.money(*amount)]).collect();
        let picture = Bars {
            id: "bridge-picture",
            name: "Bridge from opening to closing equity",
            description: &format!("From {} to {}.", self.money(value.bridge[0].1), self.money(level)),
            rows: &bars,
            joined: true,
        };
        let since = value.bridge_from.as_deref().map_or_else(String::new, |day| format!(" since {day}"));
        figure(
            &format!("What changed customer equity{since}"),
            picture.svg(),
            &table("Equity bridge", &[("Step", false), ("Money", true)], &rows),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_hold_every_customer_once() {
        let dollars = Currency { code: "USD".to_owned(), exponent: 2 };
        let values = [-500, 0, 1, 100, 101, 200, 201, 2_500, 2_500];
        let found = bands(&values, &dollars, 1);
        assert_eq!(found.iter().map(|band| band.customers).collect::<Vec<_>>(), [2, 2, 2, 1, 0, 0, 2]);
        assert_eq!(
            found.iter().map(|band| band.value).sum::<MinorSum>(),
            values.iter().map(|value| MinorSum::from(*value)).sum::<MinorSum>()
        );
        assert_eq!(found.last().unwrap().up_to, Some(5_000));
        // Nobody between 0 and 1,000.00: one band for all of it.
        let found = bands(&[150_000, 160_000], &dollars, 1);
        assert_eq!((found.len(), found[1].above, found[1].up_to), (2, Some(0), Some(200_000)));
        // Three of 2.01 and more are too few: they stand with those above 1.
        let few = bands(&values, &dollars, 3);
        assert_eq!((few.len(), few[3].customers, few[3].up_to), (4, 3, None));
        assert_eq!(bands(&[], &dollars, 1).len(), 1);
    }

    #[test]
    fn the_fan_goes_from_best_to_last_and_holds_every_customer() {
        let mean: Vec<i64> = (0..100).map(|n| n * 10).collect();
        let low: Vec<i64> = mean.iter().map(|mean| mean - 5).collect();
        let found = fan(&mean, &[low, mean.clone()], 10);
        assert_eq!(found.len(), 10);
        assert_eq!(found.iter().map(|point| point.customers).sum::<u64>(), 100);
        assert_eq!((found[0].quantiles.clone(), found[0].share), (vec![940.0, 945.0], 0.05));
        assert_eq!(fan(&[], &[], 10).len(), 0);
    }
}
