//! The optional tables, each through its contract.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::mpsc::channel,
};

use camino::Utf8Path;
use polars::prelude::DataFrame;

use super::{RunError, event_time};
use crate::{
    contract::{
        ContractError, activities, contracts, costs,
        driver_quantities::{self, Quantities},
        events, fx,
        meant::closest,
        pools, receivables, referrals, relations,
        resource_weights::{self, Takers},
        rules::Tally,
        tables::{self, Input, KnownCustomers},
        transactions,
    },
    facts::{assemble::DriverSource, drivers},
    numeric::keys::Keys,
    read::{self, Footer, ReadError, Source},
    schema::{
        contract::{InputBalance, RejectedRow},
        costing::{Method, ResourceSetting},
        facts::Cells,
        period::PeriodKind,
        relations::Relations,
        settings::{Format, LedgerDriver, Settings, TableName, TableSetting},
        tables::{
            AbsentDrivers, Activity, CustomerContract, CustomerTable, DriverQuantity, Pool, PoolLine, ProductTable,
            Receivable, TracedCost, UnknownQuantity,
        },
    },
    units::Day,
};

/// The optional tables, as they are read.
#[derive(Clone)]
pub(super) struct SideInputs<'a> {
    pub(super) settings: &'a Settings,
    pub(super) base: &'a Utf8Path,
    pub(super) balances: BTreeMap<TableName, InputBalance>,
    pub(super) rejected: Vec<RejectedRow>,
    pub(super) files: BTreeMap<TableName, Vec<Footer>>,
}

impl<'a> SideInputs<'a> {
    /// Nothing read yet.
    pub(super) fn new(settings: &'a Settings, base: &'a Utf8Path) -> Self {
        Self { settings, base, balances: BTreeMap::new(), rejected: Vec::new(), files: BTreeMap::new() }
    }

    /// Takes over what was read for several configs.
    pub(super) fn join(&mut self, shared: SideInputs<'_>) {
        self.balances.extend(shared.balances);
        self.rejected.extend(shared.rejected);
        self.files.extend(shared.files);
    }

    /// Remembers the files of a table.
    pub(super) fn note(&mut self, source: &Source) {
        self.files.insert(source.table, source.files.clone());
    }

    pub(super) fn keep(&mut self, table: TableName, mut tally: Tally) {
        self.balances.insert(table, tally.balance);
        self.rejected.append(&mut tally.rejected);
    }

    /// All batches of a small table, its column types, and whether it is CSV; `None` when it is not configured.
    #[expect(clippy::type_complexity, reason = "what a small table's contract needs, used in this file alone")]
    pub(super) fn open(
        &mut self,
        table: TableName,
    ) -> Result<Option<(Vec<DataFrame>, Vec<(String, polars::prelude::DataType)>, bool)>, RunError> {
        self.open_with(table, &[])
    }

    /// The same, with columns of drivers that are measured in the table.
    #[expect(clippy::type_complexity, reason = "what a small table's contract needs, used in this file alone")]
    fn open_with(
        &mut self,
        table: TableName,
        drivers: &[(&str, &LedgerDriver)],
    ) -> Result<Option<(Vec<DataFrame>, Vec<(String, polars::prelude::DataType)>, bool)>, RunError> {
        let Some(setting) = self.settings.inputs.table(table) else { return Ok(None) };
        self.scan(table, setting, drivers).map(Some)
    }

    /// All batches of a table that is where `setting` says.
    #[expect(clippy::type_complexity, reason = "what a small table's contract needs, used in this file alone")]
    pub(super) fn scan(
        &mut self,
        table: TableName,
        setting: &TableSetting,
        drivers: &[(&str, &LedgerDriver)],
    ) -> Result<(Vec<DataFrame>, Vec<(String, polars::prelude::DataType)>, bool), RunError> {
        let source = read::open(table, setting, self.base, drivers)?;
        self.note(&source);
        let kinds = source.column_types()?;
        let (send, frames) = channel();
        let stopped =
            move |_| ReadError::Scan { table: table.as_str(), reason: "a batch could not be processed".to_owned() };
        source.for_each_batch(move |frame| send.send(frame).map_err(stopped))?;
        Ok((frames.into_iter().collect(), kinds, setting.format == Format::Csv))
    }

    /// * `groups`: columns that put customers into channels or regions, when these are wanted.
    pub(super) fn customers(&mut self, ids: &Keys, groups: &[&str]) -> Result<Option<CustomerTable>, RunError> {
        let Some((frames, _, csv)) = self.open(TableName::Customers)? else { return Ok(None) };
        let input = Input::new(self.settings, TableName::Customers, &frames);
        let (table, tally) = tables::customers(&input, ids, csv, groups)?;
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
            let (table, tally) = activities::activities(&input)?;
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

    /// Whom resource pools serve by the table; empty without one.
    pub(super) fn resource_weights(&mut self) -> Result<Takers, RunError> {
        let Some((frames, _, _)) = self.open(TableName::ResourceWeights)? else { return Ok(Takers::new()) };
        let (takers, tally) =
            resource_weights::resource_weights(&Input::new(self.settings, TableName::ResourceWeights, &frames))?;
        self.keep(TableName::ResourceWeights, tally);
        Ok(takers)
    }

    /// Costs of activities and resource pools, from the config and the table, and the table's lines in their own
    /// currencies.
    ///
    /// * `resources`: of the config and of the table.
    pub(super) fn pools(
        &mut self,
        activities: &[Activity],
        resources: &BTreeMap<String, ResourceSetting>,
    ) -> Result<(Vec<Pool>, Vec<PoolLine>), RunError> {
        let names = resources.keys();
        let served = resources.values().flat_map(ResourceSetting::takers).map(|(name, _)| name.as_str());
        let own = activities.iter().map(|activity| (&activity.name, activity.setting.cost));
        let resources = resources.iter().map(|(name, setting)| (name, setting.cost));
        let mut pools: Vec<Pool> = own
            .clone()
            .chain(resources)
            .filter_map(|(name, cost)| {
                Some(Pool { activity: name.clone(), period: None, amount: cost?, capacity: None })
            })
            .collect();
        let known = own.map(|(name, _)| name).chain(names);
        let lines = self.pool_lines(&known.map(String::as_str).collect())?;
        let table = pools::merge(&lines)?;
        if let Some(twice) = table.iter().find(|pool| pools.iter().any(|own| own.activity == pool.activity)) {
            let what = format!("pools: `{}` has a cost in the config and in the table", twice.activity);
            return Err(ContractError::Setting(what).into());
        }
        pools.extend(table);
        let idle = activities.iter().filter_map(|activity| activity.setting.unused_to.as_deref());
        let served: BTreeSet<&str> = served.chain(idle).collect();
        for activity in activities {
            let elsewhere = served.contains(activity.name.as_str()) || is_traced(activity);
            // An activity that cost nothing stays visible in the balance.
            if !elsewhere && !pools.iter().any(|pool| pool.activity == activity.name) {
                pools.push(Pool { activity: activity.name.clone(), period: None, amount: 0, capacity: None });
            }
        }
        if self.settings.period == PeriodKind::Whole {
            for pool in &mut pools {
                pool.period = None;
            }
        }
        pools.sort_unstable();
        Ok((pools, lines))
    }

    /// Lines of the pools table, added up and converted; what was converted joins the table's accepted money.
    fn pool_lines(&mut self, known: &BTreeSet<&str>) -> Result<Vec<PoolLine>, RunError> {
        let Some((frames, _, _)) = self.open(TableName::Pools)? else { return Ok(Vec::new()) };
        let input = Input::new(self.settings, TableName::Pools, &frames);
        let (lines, mut tally) = pools::pools(&input, known)?;
        let rates = match self.open(TableName::Fx)? {
            None => Vec::new(),
            Some((frames, _, _)) => {
                let (rates, tally) = fx::rates(&Input::new(self.settings, TableName::Fx, &frames))?;
                self.keep(TableName::Fx, tally);
                rates
            }
        };
        let (run, period) = (&self.settings.currency, self.settings.period);
        let lines = fx::convert(lines, &rates, self.settings.fx.kind, run, period)?;
        let foreign = lines.iter().filter(|line| line.currency != run.code);
        let money: i128 = foreign.map(|line| i128::from(line.converted)).sum();
        tally.balance.input.amount += money;
        tally.balance.accepted.amount += money;
        let (left, right) = (tally.balance.accepted.amount, lines.iter().map(|line| i128::from(line.converted)).sum());
        if left != right {
            let what = "converted cost";
            return Err(ContractError::Reconciliation { table: "pools", what, left, right }.into());
        }
        self.keep(TableName::Pools, tally);
        Ok(lines)
    }

    /// Time of events, summed by customer and period.
    ///
    /// * `names`: of the cells' drivers; `drivers`: those with a time equation.
    pub(super) fn events(
        &mut self,
        cells: Cells,
        mut unknown: Vec<UnknownQuantity>,
        customers: &KnownCustomers<'_>,
        (names, drivers): (&[String], &[(&str, &LedgerDriver)]),
    ) -> Result<(Cells, Vec<UnknownQuantity>), RunError> {
        let Some((frames, _, csv)) = self.open_with(TableName::Events, drivers)? else { return Ok((cells, unknown)) };
        let input = Input::new(self.settings, TableName::Events, &frames);
        let (found, tally) = events::events(&input, customers, drivers, csv)?;
        self.keep(TableName::Events, tally);
        let mut times: Vec<DriverQuantity> = Vec::new();
        for ((name, driver), events) in drivers.iter().zip(found) {
            let column = names.iter().position(|known| known == name).unwrap_or(0) as u32;
            let (known, nobody) = event_time::sum(name, driver, &events)?;
            let quantity = |((customer, period), quantity)| DriverQuantity {
                customer,
                driver: column,
                period,
                when: i64::from(period),
                quantity,
            };
            times.extend(known.into_iter().map(quantity));
            unknown.extend(nobody.into_iter().map(|(period, quantity)| UnknownQuantity {
                driver: column,
                period,
                quantity,
            }));
        }
        times.sort_unstable();
        Ok((drivers::add_quantities(cells, &times)?, unknown))
    }

    /// Costs that name their customer, and their cells.
    pub(super) fn traced(
        &mut self,
        cells: Cells,
        customers: &KnownCustomers<'_>,
        activities: &[Activity],
    ) -> Result<(Cells, Vec<TracedCost>), RunError> {
        let Some((frames, _, csv)) = self.open(TableName::Traced)? else { return Ok((cells, Vec::new())) };
        let input = Input::new(self.settings, TableName::Traced, &frames);
        let names: Vec<&str> =
            activities.iter().filter(|activity| is_traced(activity)).map(|activity| activity.name.as_str()).collect();
        let (rows, tally) = costs::traced(&input, customers, &names, csv)?;
        self.keep(TableName::Traced, tally);
        let keys = rows.iter().filter_map(|row| Some((row.customer?, row.period))).collect();
        Ok((drivers::add_cells(cells, keys), rows))
    }

    pub(super) fn driver_quantities(
        &mut self,
        cells: Cells,
        customers: &KnownCustomers<'_>,
        names: &[String],
        sources: &[DriverSource],
    ) -> Result<(Cells, Vec<UnknownQuantity>, AbsentDrivers), RunError> {
        let wanted: Vec<(String, u32)> = names
            .iter()
            .zip(sources)
            .enumerate()
            .filter(|(_, (name, source))| **source == DriverSource::Table && !self.settings.drivers.contains_key(*name))
            .map(|(column, (name, _))| (name.clone(), column as u32))
            .collect();
        let Quantities { rows, unknown, absent, others } = match self.open(TableName::DriverQuantities)? {
            Some((frames, _, csv)) => {
                let input = Input::new(self.settings, TableName::DriverQuantities, &frames);
                let (found, tally) = driver_quantities::driver_quantities(&input, customers, &wanted, csv)?;
                self.keep(TableName::DriverQuantities, tally);
                found
            }
            None => Quantities { absent: wanted.into_iter().map(|(name, _)| name).collect(), ..Quantities::default() },
        };
        let known: Vec<String> = self.settings.drivers.keys().cloned().collect();
        let words: Vec<&str> = known.iter().map(String::as_str).collect();
        let meant = |name: String| {
            let meant = closest(&name, &words).map(str::to_owned);
            (name, meant)
        };
        let absent = AbsentDrivers { names: absent.into_iter().map(meant).collect(), known, others };
        Ok((drivers::add_quantities(cells, &rows)?, unknown, absent))
    }

    /// Receivables, each with its cell.
    pub(super) fn receivables(
        &mut self,
        cells: Cells,
        customers: &KnownCustomers<'_>,
    ) -> Result<(Cells, Vec<Receivable>), RunError> {
        let Some((frames, _, csv)) = self.open(TableName::Receivables)? else { return Ok((cells, Vec::new())) };
        let input = Input::new(self.settings, TableName::Receivables, &frames);
        let (rows, tally) = receivables::receivables(&input, customers, csv)?;
        self.keep(TableName::Receivables, tally);
        Ok((drivers::add_receivables(cells, &rows), rows))
    }

    /// Contracts of customers; `None` when the table is not configured.
    pub(super) fn contracts(
        &mut self,
        customers: &KnownCustomers<'_>,
        as_of: Day,
    ) -> Result<Option<Vec<CustomerContract>>, RunError> {
        let Some((frames, _, csv)) = self.open(TableName::Contracts)? else { return Ok(None) };
        let input = Input::new(self.settings, TableName::Contracts, &frames);
        let (rows, tally) = contracts::contracts(&input, customers, csv, as_of)?;
        self.keep(TableName::Contracts, tally);
        Ok(Some(rows))
    }

    /// What is known of customers beside what they bought, of tables.
    ///
    /// * `came`: first purchase of every customer.
    pub(super) fn relations(
        &mut self,
        customers: &KnownCustomers<'_>,
        as_of: Day,
        came: &[Day],
    ) -> Result<Relations, RunError> {
        let mut found = Relations::default();
        if let Some((frames, _, csv)) = self.open(TableName::Referrals)? {
            let input = Input::new(self.settings, TableName::Referrals, &frames);
            let (rows, tally) = referrals::referrals(&input, customers, csv, as_of, came)?;
            self.keep(TableName::Referrals, tally);
            found.referrals = Some(rows);
        }
        if let Some((frames, _, csv)) = self.open(TableName::Opportunities)? {
            let input = Input::new(self.settings, TableName::Opportunities, &frames);
            let (rows, tally) = relations::opportunities(&input, customers, csv, as_of)?;
            self.keep(TableName::Opportunities, tally);
            found.opportunities = Some(rows);
        }
        if let Some((frames, _, csv)) = self.open(TableName::Learning)? {
            let input = Input::new(self.settings, TableName::Learning, &frames);
            let (rows, tally) = relations::learning(&input, customers, csv, as_of)?;
            self.keep(TableName::Learning, tally);
            found.learning = Some(rows);
        }
        if let Some((frames, _, csv)) = self.open(TableName::Interactions)? {
            let input = Input::new(self.settings, TableName::Interactions, &frames);
            let (weights, tally) = relations::interactions(&input, customers, csv, as_of)?;
            self.keep(TableName::Interactions, tally);
            found.inspiring = Some(weights);
        }
        Ok(found)
    }
}

/// Whether a rule of the activity takes costs that name their customer.
fn is_traced(activity: &Activity) -> bool {
    activity.setting.each_rule().any(|rule| rule.method == Method::Traced)
}
