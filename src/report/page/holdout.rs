//! Part 5, continued: how good the forecast was on purchases that it had not seen.

use maud::{Markup, html};

use super::{
    Report,
    table::{figure, table},
    words::{decimals, perhaps_part, spoken},
};
use crate::report::{
    bars::{Bar, Bars, Tone},
    number::count,
    plot::{Plot, Series, Stroke},
    sheet::{Range, Unit},
};

/// A validation that stands in a folder of its own, or the scores of `model: auto`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holdout {
    pub(crate) foretold: Foretold,
    /// Models and baselines as tried.
    pub(crate) scores: Vec<Score>,
    /// The best model, by week: cumulated actual and expected purchases; by time unit: customers still under contract.
    pub(crate) tracking: Vec<(u64, u64, f64)>,
    /// By frequency before: customers, mean actual and expected purchases.
    pub(crate) frequencies: Vec<(u64, u64, f64, f64)>,
    /// Shares of the customers in the tenths of the probability integral transform.
    pub(crate) transform: Vec<f64>,
}

/// What a holdout counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Foretold {
    #[default]
    Purchases,
    /// Renewals of contracts.
    Renewals,
    /// Customers under contract at the end.
    Stays,
}

impl Foretold {
    fn words(self) -> &'static str {
        match self {
            Self::Purchases => "purchases",
            Self::Renewals => "renewals",
            Self::Stays => "customers still under contract",
        }
    }
}

/// A row of `validation_score`, `validation_contract_score` or `model_comparison`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Score {
    pub(crate) method: String,
    pub(crate) is_model: bool,
    pub(crate) end: String,
    pub(crate) chosen: bool,
    pub(crate) actual: Option<u64>,
    pub(crate) expected: Option<f64>,
    pub(crate) bias: Option<f64>,
    pub(crate) mae: Option<f64>,
    pub(crate) crps: Option<f64>,
    pub(crate) spearman: Option<f64>,
    pub(crate) lift: Option<f64>,
    /// Share within the central 80 % interval, and its probability by the model.
    pub(crate) coverage: Option<(f64, f64)>,
}

impl Report {
    pub(super) fn holdout_part(&self, holdout: &Holdout) -> Markup {
        html! {
            h3 { "How good is the forecast?" }
            (verdict(holdout))
            (scores(holdout))
            (self.tracking(holdout))
            (self.calibration(holdout))
            (transform(holdout))
        }
    }

    fn tracking(&self, holdout: &Holdout) -> Markup {
        let stays = holdout.foretold == Foretold::Stays;
        // Customers at a time, not purchases so far: too few of them are not told.
        let told: Vec<_> = holdout.tracking.iter().filter(|row| !stays || self.tells(row.1)).collect();
        let (Some(last), true) = (told.last(), told.len() > 1) else { return html! {} };
        let line = |of: fn(&(u64, u64, f64)) -> f64| -> Vec<(f64, f64)> {
            let start = (!stays).then_some((0.0, 0.0)).into_iter();
            start.chain(told.iter().map(|row| (row.0 as f64, of(row)))).collect()
        };
        let highest = told.iter().map(|row| row.2.ceil().max(row.1 as f64)).fold(0.0, f64::max) as i128;
        let (name, unit, counted) = if stays {
            ("Customers under contract, actual and expected", "time units", "customers still under contract")
        } else {
            ("Cumulative purchases, actual and expected", "weeks", "repeat purchases since the cut")
        };
        let plot = Plot {
            id: "tracking-picture",
            name,
            description: &format!(
                "After {} {unit}: {} {}, {} expected.",
                last.0,
                count(last.1),
                holdout.foretold.words(),
                decimals(Some(last.2), 0)
            ),
            x: Range { name: &format!("{unit} after the cut"), low: 0, high: i128::from(last.0), unit: Unit::Count },
            y: Range { name: counted, low: 0, high: highest, unit: Unit::Count },
            bands: Vec::new(),
            series: vec![
                Series { name: "actual", stroke: Stroke::First, points: line(|row| row.1 as f64) },
                Series { name: "expected", stroke: Stroke::Second, points: line(|row| row.2) },
            ],
        };
        let rows: Vec<Vec<String>> = told
            .iter()
            .map(|(week, actual, expected)| vec![week.to_string(), count(*actual), decimals(Some(*expected), 1)])
            .collect();
        let columns = [(if stays { "Time unit" } else { "Week" }, true), ("Actual", true), ("Expected", true)];
        let heading = if stays {
            "Customers under contract in the holdout"
        } else {
            "Cumulative repeat purchases in the holdout"
        };
        figure(heading, plot.svg(), &table("Tracking", &columns, &rows))
    }

    fn calibration(&self, holdout: &Holdout) -> Markup {
        let told: Vec<_> = holdout.frequencies.iter().filter(|row| self.tells(row.1)).collect();
        if told.len() < 2 {
            return html! {};
        }
        let line = |of: fn(&(u64, u64, f64, f64)) -> f64| -> Vec<(f64, f64)> {
            told.iter().map(|row| (row.0 as f64, of(row))).collect()
        };
        let last = told.iter().map(|row| row.0).max().unwrap_or(1);
        let highest = told.iter().map(|row| row.2.max(row.3)).fold(1.0, f64::max).ceil() as i128;
        let rows: Vec<Vec<String>> = told
            .iter()
            .map(|(frequency, customers, actual, expected)| {
                vec![frequency.to_string(), count(*customers), decimals(Some(*actual), 2), decimals(Some(*expected), 2)]
            })
            .collect();
        let picture = Plot {
            id: "calibration-picture",
            name: "Actual and expected purchases by frequency",
            description: "Mean purchases in the holdout, actual beside expected, by repeat purchases before the cut.",
            x: Range { name: "repeat purchases before the cut", low: 0, high: i128::from(last), unit: Unit::Count },
            y: Range { name: "purchases in the holdout, a customer", low: 0, high: highest, unit: Unit::Count },
            bands: Vec::new(),
            series: vec![
                Series { name: "actual", stroke: Stroke::First, points: line(|row| row.2) },
                Series { name: "expected", stroke: Stroke::Second, points: line(|row| row.3) },
            ],
        };
        let columns =
            [("Repeat purchases before", false), ("Customers", true), ("Actual, mean", true), ("Expected, mean", true)];
        figure(
            "Purchases a customer in the holdout, by repeat purchases before",
            picture.svg(),
            &table("Calibration", &columns, &rows),
        )
    }
}

fn verdict(holdout: &Holdout) -> Markup {
    let best = holdout.scores.iter().find(|score| score.chosen);
    let by_crps = |score: &&Score| score.crps.is_some();
    let baseline = holdout
        .scores
        .iter()
        .filter(|score| !score.is_model)
        .filter(by_crps)
        .min_by(|a, b| a.crps.partial_cmp(&b.crps).unwrap_or(std::cmp::Ordering::Equal));
    html! {
        @if let Some(best) = best {
            p {
                "Fitted to the time before a cut and asked about the time after it, " strong { (spoken(&best.method)) }
                @if let Some((expected, actual)) = best.expected.zip(best.actual) {
                    " expected " (count(expected.round_ties_even() as u64)) " " (holdout.foretold.words()) " where there were " (count(actual))
                    " (" (signed(best.bias)) ")"
                }
                @if let Some(lift) = best.lift {
                    "; the tenth of the customers that it ranked first bought " (decimals(Some(lift), 1)) " times as much as the mean"
                }
                "."
                @if let Some((baseline, (theirs, ours))) = baseline.and_then(|b| Some((b, b.crps.zip(best.crps)?))) {
                    @if theirs > ours {
                        " Its error (CRPS) is " (perhaps_part(Some(1.0 - ours / theirs))) " below that of the best simple rule, "
                        (spoken(&baseline.method)) "."
                    } @else {
                        " No model beats the simple rule " (spoken(&baseline.method)) " here: do not trust single customers' forecasts."
                    }
                }
            }
        }
    }
}

/// `+5.0 %`, `−12.1 %`.
fn signed(value: Option<f64>) -> String {
    value.map_or_else(
        || "–".to_owned(),
        |value| {
            let sign = if value > 0.0 { "+" } else { "" };
            format!("{sign}{} %", decimals(Some(value * 100.0), 1))
        },
    )
}

fn scores(holdout: &Holdout) -> Markup {
    let rows: Vec<Vec<String>> = holdout
        .scores
        .iter()
        .map(|score| {
            vec![
                format!("{}{}", spoken(&score.method), if score.chosen { " (chosen)" } else { "" }),
                spoken(&score.end),
                signed(score.bias),
                decimals(score.crps, 4),
                decimals(score.mae, 4),
                decimals(score.spearman, 3),
                decimals(score.lift, 2),
                score.coverage.map_or_else(
                    || "–".to_owned(),
                    |(found, nominal)| format!("{} of {}", perhaps_part(Some(found)), perhaps_part(Some(nominal))),
                ),
            ]
        })
        .collect();
    let columns = [
        ("Method", false),
        ("Fit", false),
        ("Bias", true),
        ("CRPS", true),
        ("MAE", true),
        ("Rank correlation", true),
        ("Top tenth", true),
        ("In the 80 % interval", true),
    ];
    table("Scores on the holdout; less CRPS is better", &columns, &rows)
}

fn transform(holdout: &Holdout) -> Markup {
    if holdout.transform.is_empty() {
        return html! {};
    }
    let name = |bin: usize| format!("{} to {} %", bin * 10, (bin + 1) * 10);
    let bars: Vec<Bar> = holdout
        .transform
        .iter()
        .enumerate()
        .map(|(bin, share)| Bar {
            label: name(bin),
            from: 0.0,
            to: *share,
            tone: Tone::Quiet,
            text: perhaps_part(Some(*share)),
        })
        .collect();
    let rows: Vec<Vec<String>> =
        holdout.transform.iter().enumerate().map(|(bin, share)| vec![name(bin), perhaps_part(Some(*share))]).collect();
    let picture = Bars {
        id: "transform-picture",
        name: "Probability integral transform",
        description: "Where the actual purchases lie in each customer's forecast distribution; a tenth in each bin is right.",
        rows: &bars,
        joined: false,
    };
    let columns = [("Actual lies in this part of the forecast", false), ("Share of customers", true)];
    html! {
        p { "Were every customer's distribution right, each of these bars would say 10 %." }
        (figure(
            "Where actual purchases lie in the forecast distributions",
            picture.svg(),
            &table("Probability integral transform", &columns, &rows),
        ))
    }
}
