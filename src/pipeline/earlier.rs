//! What an earlier run told of equity: its manifest and its `customer_value`, read back.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::Value;

use super::{RunError, inputs::SideInputs};
use crate::{
    contract::{ContractError, earlier, tables::KnownCustomers},
    publish::folder::MANIFEST,
    schema::{
        equity::{BridgeFrom, EarlierRun},
        forecasting::ModelChoice,
        inputs::Limits,
        location::is_url,
        period::{format_day, parse_day},
        settings::{Format, Settings, TableName, TableSetting},
    },
    units::Day,
};

impl SideInputs<'_> {
    /// The earlier run that the bridge begins with; `None` where it does not begin with one.
    pub(super) fn earlier(
        &mut self,
        customers: &KnownCustomers<'_>,
        as_of: Day,
    ) -> Result<Option<EarlierRun>, RunError> {
        let settings = self.settings;
        let from = settings.equity.bridge.as_ref().map(|bridge| &bridge.from);
        let (Some(BridgeFrom::Run(folder)), Some(forecast)) = (from, &settings.forecast) else { return Ok(None) };
        let manifest = manifest(self.base, folder)?;
        let refuse = |what: String| RunError::from(ContractError::Setting(format!("equity.bridge.from: {what}")));
        let absent = || refuse("the manifest of the earlier run does not say how it forecast: run it again".to_owned());
        let told = &manifest["forecast"];
        let (day, rate) = (manifest["as_of"].as_str().and_then(parse_day), told["discount_rate_per_year"].as_f64());
        let (day, rate) = day.zip(rate).ok_or_else(absent)?;
        if day >= as_of {
            return Err(refuse(format!("the earlier run is of {}, which is not before as_of", format_day(day))));
        }
        if manifest["currency"]["code"].as_str() != Some(settings.currency.code.as_str()) {
            return Err(refuse("the earlier run is in another currency".to_owned()));
        }
        // Times of another unit, or to another horizon, are not to be put in the place of these.
        let same = told["days_per_unit"].as_f64().map(f64::to_bits) == Some(forecast.days_per_unit.to_bits())
            && told["horizon_days"].as_u64() == Some(forecast.horizon_days.into());
        if !same {
            return Err(refuse("the earlier run has another horizon or time unit".to_owned()));
        }
        if told["discounting"].as_str() != Some(forecast.discounting.as_str()) {
            return Err(refuse("the earlier run discounts in another way".to_owned()));
        }
        // Its periods, opportunities or times alive are not to be put in the place of others.
        let fits = manifest["fits"].as_object().ok_or_else(absent)?;
        if !fits.keys().any(|name| is_like(name, forecast.model)) {
            return Err(refuse("the earlier run was of another kind of model".to_owned()));
        }
        let columns = TableName::EarlierRun.columns().iter();
        let setting = TableSetting {
            paths: vec![format!("{folder}/customer_value")],
            format: Format::Parquet,
            columns: columns.map(|(name, _)| ((*name).to_owned(), (*name).to_owned())).collect(),
            filter: Some("scenario = 'base'".to_owned()),
            covariates: BTreeMap::new(),
            limits: Limits::default(),
            // An earlier run wrote pseudonyms where this one has them.
            id_key: None,
        };
        let customers =
            self.table_at(TableName::EarlierRun, &setting, &[], |input, _| earlier::earlier(input, customers))?;
        Ok(Some(EarlierRun { as_of: day, discount_rate_per_year: rate, customers }))
    }
}

/// Looks, before anything is read, whether the earlier run that the bridge begins with is there.
pub(super) fn check(settings: &Settings) -> Result<(), RunError> {
    match settings.equity.bridge.as_ref().map(|bridge| &bridge.from) {
        // One in a store is looked at when it is fetched.
        Some(BridgeFrom::Run(folder)) if !is_url(folder) => manifest(Utf8Path::new(&settings.base), folder).map(|_| ()),
        _ => Ok(()),
    }
}

/// The manifest of the run in a folder.
fn manifest(base: &Utf8Path, folder: &str) -> Result<Value, RunError> {
    let path = base.join(folder).join(MANIFEST);
    let unread = |reason: String| RunError::EarlierRun { folder: folder.to_owned(), reason };
    let text = std::fs::read_to_string(&path).map_err(|error| unread(format!("{path}: {error}")))?;
    serde_json::from_str(&text).map_err(|_| unread(format!("{path} is no manifest of a run")))
}

/// Whether a fit is of a model that counts what the wanted one does: purchases at any time, at opportunities, or contracts.
fn is_like(name: &str, wanted: ModelChoice) -> bool {
    use ModelChoice::{Auto, BgBb, Contract, One};
    matches!(
        (ModelChoice::named(name), wanted),
        (Some(One(_)), One(_) | Auto) | (Some(BgBb), BgBb) | (Some(Contract(_)), Contract(_))
    )
}
