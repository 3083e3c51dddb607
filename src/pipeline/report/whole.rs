//! What is said of all customers together: equity, concentration, the holdout, the inputs, the method.

use serde_json::Value as Json;

use super::{
    super::finished::{Finished, Floats},
    customers::quantiles,
};
use crate::{
    publish::PublishError,
    report::page::{
        holdout::{Foretold, Holdout, Score},
        method::{Fit, Method},
        quality::{Input, Quality},
        result::Summary,
        retention::{Retention, Tenure},
        value::{EquityRow, Value},
        whales::{Concentration, Whales},
    },
    units::MinorSum,
};

/// `customer_equity`.
pub(in crate::pipeline) fn summary(source: &Finished) -> Result<Option<Summary>, PublishError> {
    let (names, levels) = quantiles(source, "customer_equity", "equity_p");
    let counts = ["customers", "losing_customers", "peak_customers", "horizon_days"];
    let money = ["net_revenue", "cm3", "economic_profit", "peak_profit", "expected_value", "equity_mean"];
    let planned = ["planned_value", "planned_cost"];
    let wanted: Vec<&str> =
        counts.into_iter().chain(money).chain(planned).chain(names.iter().map(String::as_str)).collect();
    let mut found = None;
    source.each("customer_equity", &wanted, |rows| {
        if rows.len() == 0 {
            return Ok(());
        }
        let count = |name: &str| Ok::<_, PublishError>(rows.integers(name)?.at(0));
        let sum = |name: &str| Ok::<_, PublishError>(rows.scaled(name)?.at(0));
        let ends = names.iter().zip(&levels).map(|(name, level)| Ok(sum(name)?.map(|value| (*level, value))));
        let ends: Vec<Option<(f64, MinorSum)>> = ends.collect::<Result<_, PublishError>>()?;
        found = Some(Summary {
            customers: count("customers")?.unwrap_or(0),
            losing: count("losing_customers")?,
            net_revenue: sum("net_revenue")?.unwrap_or(0),
            cm3: sum("cm3")?.unwrap_or(0),
            economic_profit: sum("economic_profit")?.unwrap_or(0),
            peak: count("peak_customers")?.zip(sum("peak_profit")?),
            horizon_days: count("horizon_days")?.map(|days| days as u32),
            expected_value: sum("expected_value")?,
            equity: sum("equity_mean")?,
            quantiles: ends.into_iter().flatten().collect(),
            planned: sum("planned_value")?.zip(sum("planned_cost")?).map(|(value, cost)| value - cost),
        });
        Ok(())
    })?;
    Ok(found)
}

/// `whale_curve` and the row of all customers in `concentration`.
pub(super) fn whales(source: &Finished) -> Result<Whales, PublishError> {
    let mut found = Whales::default();
    source.each("whale_curve", &["customers", "cumulative_profit"], |rows| {
        let (customers, profit) = (rows.integers("customers")?, rows.scaled("cumulative_profit")?);
        found.points.extend((0..rows.len()).map(|row| (customers.count(row), profit.sum_of(row))));
        Ok(())
    })?;
    let wanted = ["segmentation", "gini", "stobachoff", "carrying_customers"];
    source.each("concentration", &wanted, |rows| {
        let segmentation = rows.texts("segmentation")?;
        if let Some(row) = (0..rows.len()).find(|row| segmentation.is(*row, "all")) {
            let at = |name: &str| Ok::<_, PublishError>(rows.floats(name)?.at(row));
            found.concentration = Some(Concentration {
                gini: at("gini")?,
                stobachoff: at("stobachoff")?,
                carrying: rows.integers("carrying_customers")?.count(row),
            });
        }
        Ok(())
    })?;
    Ok(found)
}

/// `segment_equity`, `equity_bridge` of all customers, `equity_share` of the whole market.
pub(super) fn equity(source: &Finished, value: &mut Value) -> Result<(), PublishError> {
    let wanted =
        ["segmentation", "segment", "customers", "equity", "share_of_net_revenue", "share_of_cm1", "share_of_equity"];
    source.each("segment_equity", &wanted, |rows| {
        let (segmentation, name) = (rows.texts("segmentation")?, rows.texts("segment")?);
        let (customers, equity) = (rows.integers("customers")?, rows.scaled("equity")?);
        let (sales, margin) = (rows.floats("share_of_net_revenue")?, rows.floats("share_of_cm1")?);
        let shares = rows.floats("share_of_equity")?;
        value.equity.extend((0..rows.len()).map(|row| EquityRow {
            segmentation: segmentation.word(row),
            name: name.word(row),
            customers: customers.count(row),
            equity: equity.at(row),
            share_of_sales: sales.at(row),
            share_of_margin: margin.at(row),
            share_of_equity: shares.at(row),
        }));
        Ok(())
    })?;
    source.each("equity_bridge", &["segmentation", "component", "amount"], |rows| {
        let (segmentation, component) = (rows.texts("segmentation")?, rows.texts("component")?);
        let amount = rows.scaled("amount")?;
        let all = (0..rows.len()).filter(|row| segmentation.is(*row, "all"));
        value.bridge.extend(all.map(|row| (component.word(row), amount.sum_of(row))));
        Ok(())
    })?;
    source.each("equity_share", &["segmentation", "competitor", "equity", "share_of_equity"], |rows| {
        let (segmentation, competitor) = (rows.texts("segmentation")?, rows.texts("competitor")?);
        let (equity, share) = (rows.scaled("equity")?, rows.floats("share_of_equity")?);
        let all = (0..rows.len()).filter(|row| segmentation.is(*row, "all"));
        value.market.extend(all.map(|row| (competitor.word(row), equity.sum_of(row), share.at(row))));
        Ok(())
    })
}

/// `model_retention`.
pub(super) fn retention(source: &Finished) -> Result<Retention, PublishError> {
    let mut found = Retention::default();
    let wanted = ["model", "tenure", "customers", "observed_share", "standard_error", "expected_share"];
    source.each("model_retention", &wanted, |rows| {
        let (model, tenure, contracts) = (rows.texts("model")?, rows.integers("tenure")?, rows.integers("customers")?);
        let (observed, error) = (rows.floats("observed_share")?, rows.floats("standard_error")?);
        let expected = rows.floats("expected_share")?;
        for row in 0..rows.len() {
            found.model = model.word(row);
            let share = |column: &Floats<'_>| column.at(row).unwrap_or(0.0);
            found.tenures.push(Tenure {
                number: tenure.count(row),
                contracts: contracts.count(row),
                observed: share(&observed),
                error: share(&error),
                expected: share(&expected),
            });
        }
        Ok(())
    })?;
    Ok(found)
}

/// Datasets of scores that `validate` writes: of purchases, of contracts.
pub(super) const VALIDATION_SCORES: [&str; 2] = ["validation_score", "validation_contract_score"];

/// What an output of `validate` says; `None` where nothing was scored.
pub(super) fn validated(source: &Finished) -> Result<Option<Holdout>, PublishError> {
    let [purchases, contracts] = VALIDATION_SCORES;
    holdout(source, if source.columns(contracts).is_empty() { purchases } else { contracts })
}

/// Scores of models on a holdout, with what `validate` writes beside them; `None` where nothing was scored.
///
/// * `scores`: the dataset of the scores.
pub(super) fn holdout(source: &Finished, scores: &str) -> Result<Option<Holdout>, PublishError> {
    let foretold = match scores {
        "validation_contract_score" => Foretold::Stays,
        _ if source.is_of_contracts() => Foretold::Renewals,
        _ => Foretold::Purchases,
    };
    let mut found = Holdout { foretold, ..Holdout::default() };
    let [happened, said] = match foretold {
        Foretold::Stays => ["actual_customers", "expected_customers"],
        _ => ["actual_purchases", "expected_purchases"],
    };
    // Contracts have no best tenth and no intervals.
    let mut numbers = vec!["bias", "mae", "crps", "spearman"];
    if foretold != Foretold::Stays {
        numbers.extend(["top_decile_lift", "coverage_80", "nominal_80"]);
    }
    let mut wanted = vec!["method", "kind", "end", "chosen", happened, said];
    wanted.extend(&numbers);
    source.each(scores, &wanted, |rows| {
        let (method, kind, end) = (rows.texts("method")?, rows.texts("kind")?, rows.texts("end")?);
        let (chosen, actual) = (rows.integers("chosen")?, rows.integers(happened)?);
        let expected = rows.floats(said)?;
        let columns = numbers.iter().map(|name| rows.floats(name)).collect::<Result<Vec<_>, _>>()?;
        for row in 0..rows.len() {
            let number = |column: usize| columns.get(column).and_then(|column| column.at(row));
            found.scores.push(Score {
                method: method.word(row),
                is_model: kind.is(row, "model"),
                end: end.word(row),
                chosen: chosen.count(row) == 1,
                actual: actual.at(row),
                expected: expected.at(row),
                bias: number(0),
                mae: number(1),
                crps: number(2),
                spearman: number(3),
                lift: number(4),
                coverage: number(5).zip(number(6)),
            });
        }
        Ok(())
    })?;
    if found.scores.iter().all(|score| score.crps.is_none()) {
        return Ok(None);
    }
    let best = found.scores.iter().find(|score| score.chosen).map(|score| score.method.clone()).unwrap_or_default();
    course(source, &best, &mut found)?;
    Ok(Some(found))
}

/// Tracking, calibration and transform of the best method.
fn course(source: &Finished, best: &str, found: &mut Holdout) -> Result<(), PublishError> {
    let (tracking, [step, happened, said]) = match found.foretold {
        Foretold::Stays => ("validation_contract_tracking", ["step", "actual_customers", "expected_customers"]),
        _ => ("validation_tracking", ["week", "actual_purchases", "expected_purchases"]),
    };
    source.each(tracking, &["method", step, happened, said], |rows| {
        let (method, week) = (rows.texts("method")?, rows.integers(step)?);
        let (actual, expected) = (rows.integers(happened)?, rows.floats(said)?);
        let of_best = (0..rows.len()).filter(|row| method.is(*row, best));
        let row = |row| (week.count(row), actual.count(row), expected.at(row).unwrap_or(0.0));
        found.tracking.extend(of_best.map(row));
        Ok(())
    })?;
    let wanted = ["method", "frequency", "customers", "actual_purchases", "expected_purchases"];
    source.each("validation_frequency", &wanted, |rows| {
        let (method, frequency) = (rows.texts("method")?, rows.integers("frequency")?);
        let customers = rows.integers("customers")?;
        let (actual, expected) = (rows.floats("actual_purchases")?, rows.floats("expected_purchases")?);
        for row in (0..rows.len()).filter(|row| method.is(*row, best)) {
            let means = actual.at(row).zip(expected.at(row));
            let told = |(actual, expected)| (frequency.count(row), customers.count(row), actual, expected);
            found.frequencies.extend(means.map(told));
        }
        Ok(())
    })?;
    source.each("validation_pit", &["method", "share"], |rows| {
        let (method, share) = (rows.texts("method")?, rows.floats("share")?);
        let of_best = (0..rows.len()).filter(|row| method.is(*row, best));
        found.transform.extend(of_best.filter_map(|row| share.at(row)));
        Ok(())
    })
}

/// `input_balance`, and the notes of the fits.
pub(super) fn quality(source: &Finished) -> Result<Quality, PublishError> {
    let mut found = Quality::default();
    source.each("input_balance", &["table", "bucket", "rule", "rows", "amount"], |rows| {
        let (table, bucket, rule) = (rows.texts("table")?, rows.texts("bucket")?, rows.texts("rule")?);
        let (number, amount) = (rows.integers("rows")?, rows.scaled("amount")?);
        for row in 0..rows.len() {
            let name = table.word(row);
            if found.tables.last().is_none_or(|last: &Input| last.table != name) {
                found.tables.push(Input { table: name, ..Input::default() });
            }
            let Some(input) = found.tables.last_mut() else { continue };
            let sum = (number.count(row), amount.sum_of(row));
            match bucket.word(row).as_str() {
                "input" => input.all = sum,
                "accepted" => input.accepted = sum,
                "unassigned" => input.unassigned = sum,
                "rejected" => input.rejected = sum,
                _ => input.rules.push((rule.word(row), sum.0, sum.1)),
            }
        }
        Ok(())
    })?;
    let notes = fits(source).flat_map(|fit| fit["notes"].as_array().into_iter().flatten());
    found.notes = notes.filter_map(|note| note.as_str().map(str::to_owned)).collect();
    Ok(found)
}

/// Fitted models in the manifest.
fn fits(source: &Finished) -> impl Iterator<Item = &Json> {
    source.manifest["fits"].as_object().into_iter().flat_map(|fits| fits.values()).filter(|fit| fit.is_object())
}

/// What the manifest says of how it was computed.
pub(super) fn method(source: &Finished) -> Method {
    let manifest = &source.manifest;
    let word = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let inputs = manifest["inputs"].as_array().into_iter().flatten();
    let settings = manifest["forecast"].as_object().into_iter().flatten();
    Method {
        version: word(&manifest["version"]),
        seed: manifest["seed"].as_u64().unwrap_or(0),
        result_digest: word(&manifest["result_digest"]),
        settings: settings
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.replace('_', " "), plain(value)))
            .collect(),
        fits: fits(source).map(fit).collect(),
        inputs: inputs
            .map(|file| {
                let bytes = file["bytes"].as_u64().unwrap_or(0);
                (word(&file["table"]), word(&file["file"]), bytes, word(&file["blake3"]))
            })
            .collect(),
    }
}

fn fit(fit: &Json) -> Fit {
    let names = fit["names"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let errors = &fit["standard_errors"];
    Fit {
        model: fit["model"].as_str().unwrap_or_default().to_owned(),
        end: fit["end"]["how"].as_str().unwrap_or_default().to_owned(),
        customers: fit["customers"].as_u64().unwrap_or(0),
        log_likelihood: fit["log_likelihood"].as_f64(),
        parameters: names
            .enumerate()
            .filter_map(|(number, name)| {
                let estimate = fit["parameters"][name].as_f64()?;
                Some((name.to_owned(), estimate, errors[number].as_f64()))
            })
            .collect(),
    }
}

/// A setting as a reader sees it.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.replace('_', " "),
        Json::Bool(is) => if *is { "yes" } else { "no" }.to_owned(),
        Json::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
