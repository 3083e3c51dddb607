//! The optional tables, each through its contract.

use std::{collections::BTreeMap, sync::mpsc::channel};

use camino::{Utf8Path, Utf8PathBuf};
use polars::prelude::DataFrame;

use super::RunError;
use crate::{
    contract::{
        ContractError,
        rules::Tally,
        tables::{self, Input, KnownCustomers},
        transactions,
    },
    facts::{assemble::DriverSource, drivers},
    numeric::{decimal::Decimal, keys::Keys},
    profit,
    read::{self, ReadError, Source},
    schema::{
        contract::{InputBalance, RejectedRow},
        facts::{Cells, NO_DAY},
        settings::{Format, Settings, TableName},
        tables::{Activity, CustomerTable, Pool, ProductTable},
    },
    units::Day,
};

/// The optional tables, as they are read.
pub(super) struct SideInputs<'a> {
    settings: &'a Settings,
    base: &'a Utf8Path,
    pub(super) balances: BTreeMap<TableName, InputBalance>,
    pub(super) rejected: Vec<RejectedRow>,
    pub(super) files: BTreeMap<TableName, Vec<Utf8PathBuf>>,
}

impl<'a> SideInputs<'a> {
    /// Nothing read yet.
    pub(super) fn new(settings: &'a Settings, base: &'a Utf8Path) -> Self {
        Self { settings, base, balances: BTreeMap::new(), rejected: Vec::new(), files: BTreeMap::new() }
    }

    /// Remembers the files of a table.
    pub(super) fn note(&mut self, source: &Source) {
        self.files.insert(source.table, source.files.iter().map(|footer| footer.file.clone()).collect());
    }

    pub(super) fn keep(&mut self, table: TableName, mut tally: Tally) {
        self.balances.insert(table, tally.balance);
        self.rejected.append(&mut tally.rejected);
    }

    /// All batches of a small table, its column types, and whether it is CSV; `None` when it is not configured.
    #[expect(clippy::type_complexity, reason = "what a small table's contract needs, used in this file alone")]
    fn open(
        &mut self,
        table: TableName,
    ) -> Result<Option<(Vec<DataFrame>, Vec<(String, polars::prelude::DataType)>, bool)>, RunError> {
        let inputs = &self.settings.inputs;
        let setting = match table {
            TableName::Transactions => return Ok(None),
            TableName::Customers => &inputs.customers,
            TableName::Products => &inputs.products,
            TableName::Pools => &inputs.pools,
            TableName::Activities => &inputs.activities,
            TableName::DriverQuantities => &inputs.driver_quantities,
            TableName::Receivables => &inputs.receivables,
        };
        let Some(setting) = setting else { return Ok(None) };
        let source = read::open(table, setting, self.base, &[])?;
        self.note(&source);
        let kinds = source.column_types()?;
        let (send, frames) = channel();
        let stopped =
            move |_| ReadError::Scan { table: table.as_str(), reason: "a batch could not be processed".to_owned() };
        source.for_each_batch(move |frame| send.send(frame).map_err(stopped))?;
        Ok(Some((frames.into_iter().collect(), kinds, setting.format == Format::Csv)))
    }

    pub(super) fn customers(&mut self, ids: &Keys) -> Result<Option<CustomerTable>, RunError> {
        let Some((frames, _, csv)) = self.open(TableName::Customers)? else { return Ok(None) };
        let input = Input::new(self.settings, TableName::Customers, &frames);
        let (table, tally) = tables::customers(&input, ids, csv)?;
        self.keep(TableName::Customers, tally);
        Ok(Some(table))
    }

    pub(super) fn products(
        &mut self,
        ledger: &[(String, polars::prelude::DataType)],
    ) -> Result<Option<ProductTable>, RunError> {
        let Some((frames, _, csv)) = self.open(TableName::Products)? else { return Ok(None) };
        let ids = transactions::id_kind(ledger, "product_id");
        let input = Input::new(self.settings, TableName::Products, &frames);
        let (table, tally) = tables::products(&input, &ids, csv)?;
        self.keep(TableName::Products, tally);
        Ok(Some(table))
    }

    /// Activities of the config, then those of the table, sorted by name.
    pub(super) fn activities(&mut self) -> Result<Vec<Activity>, RunError> {
        let configured = self.settings.activities.iter();
        let mut activities: Vec<Activity> =
            configured.map(|(name, setting)| Activity { name: name.clone(), setting: setting.clone() }).collect();
        if let Some((frames, _, _)) = self.open(TableName::Activities)? {
            let input = Input::new(self.settings, TableName::Activities, &frames);
            let (table, tally) = tables::activities(&input)?;
            self.keep(TableName::Activities, tally);
            if let Some(twice) = table.iter().find(|activity| self.settings.activities.contains_key(&activity.name)) {
                let what = format!("activities: `{}` stands in the config and in the table", twice.name);
                return Err(ContractError::Setting(what).into());
            }
            activities.extend(table);
        }
        activities.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(activities)
    }

    pub(super) fn pools(&mut self, activities: &[Activity]) -> Result<Vec<Pool>, RunError> {
        let mut pools: Vec<Pool> = activities
            .iter()
            .filter_map(|activity| {
                let amount = activity.setting.cost?;
                Some(Pool { activity: activity.name.clone(), period: None, amount })
            })
            .collect();
        if let Some((frames, _, _)) = self.open(TableName::Pools)? {
            let input = Input::new(self.settings, TableName::Pools, &frames);
            let (table, tally) = tables::pools(&input, activities)?;
            self.keep(TableName::Pools, tally);
            if let Some(twice) = table.iter().find(|pool| pools.iter().any(|own| own.activity == pool.activity)) {
                let what = format!("pools: `{}` has a cost in the config and in the table", twice.activity);
                return Err(ContractError::Setting(what).into());
            }
            pools.extend(table);
        }
        for activity in activities {
            // An activity that cost nothing stays visible in the balance.
            if !pools.iter().any(|pool| pool.activity == activity.name) {
                pools.push(Pool { activity: activity.name.clone(), period: None, amount: 0 });
            }
        }
        pools.sort_unstable();
        Ok(pools)
    }

    pub(super) fn driver_quantities(
        &mut self,
        cells: Cells,
        customers: &KnownCustomers<'_>,
        names: &[String],
        sources: &[DriverSource],
    ) -> Result<Cells, RunError> {
        let Some((frames, _, csv)) = self.open(TableName::DriverQuantities)? else { return Ok(cells) };
        let wanted: Vec<(String, u32)> = names
            .iter()
            .zip(sources)
            .enumerate()
            .filter(|(_, (_, source))| **source == DriverSource::Table)
            .map(|(column, (name, _))| (name.clone(), column as u32))
            .collect();
        let input = Input::new(self.settings, TableName::DriverQuantities, &frames);
        let (rows, tally) = tables::driver_quantities(&input, customers, &wanted, csv)?;
        self.keep(TableName::DriverQuantities, tally);
        Ok(drivers::add_quantities(cells, &rows)?)
    }

    /// Receivables and what the capital bound in them costs.
    pub(super) fn receivables(
        &mut self,
        cells: Cells,
        customers: &KnownCustomers<'_>,
        as_of: Day,
    ) -> Result<(Cells, Vec<i64>), RunError> {
        let Some((frames, _, csv)) = self.open(TableName::Receivables)? else {
            let none = vec![0; cells.len()];
            return Ok((cells, none));
        };
        let input = Input::new(self.settings, TableName::Receivables, &frames);
        let (rows, tally) = tables::receivables(&input, customers, csv)?;
        self.keep(TableName::Receivables, tally);
        let cells = drivers::add_receivables(cells, &rows);
        let first = cells.first_purchase.iter().filter(|day| **day != NO_DAY).min().copied().unwrap_or(as_of);
        let rate = self.settings.capital_rate_per_year.and_then(Decimal::from_float);
        let rate = rate.unwrap_or(Decimal { mantissa: 0, scale: 0 });
        let charges = profit::capital_charges(
            &cells,
            &rows,
            rate,
            self.settings.period,
            as_of.saturating_sub(first).saturating_add(1),
        )?;
        Ok((cells, charges))
    }
}
