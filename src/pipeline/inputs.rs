//! The optional tables, each through its contract.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::{RunError, event_time, own_cells::Alone};
use crate::{
    contract::{
        ContractError, activities, contracts,
        costed::Costed,
        costs,
        driver_quantities::{self, Quantities},
        events, fx,
        meant::closest,
        pools, receivables, referrals, relations,
        resource_weights::{self, Takers},
        rules::Tally,
        small_table::Input,
        tables::{self, KnownCustomers},
        transactions,
    },
    facts::{assemble::DriverSource, drivers},
    numeric::keys::Keys,
    read::{self, Footer, Source},
    schema::{
        contract::{InputBalance, RejectedRow},
        costing::ResourceSetting,
        facts::Cells,
        period::PeriodKind,
        relations::Relations,
        settings::{Format, LedgerDriver, Settings, TableName, TableSetting},
        tables::{
            AbsentDrivers, Activity, CustomerContract, CustomerTable, DriverQuantity, Owner, Pool, PoolCapacities,
            PoolLine, ProductTable, Receivable, TracedCost, UnknownQuantity,
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

    /// A small table through its contract, its tally kept; `None` when it is not configured.
    ///
    /// * `read`: the contract, told whether the table is CSV.
    pub(super) fn table<T>(
        &mut self,
        table: TableName,
        read: impl FnOnce(&Input<'_>, bool) -> Result<(T, Tally), ContractError>,
    ) -> Result<Option<T>, RunError> {
        self.table_with(table, &[], read)
    }

    /// The same, with columns of drivers that are measured in the table.
    fn table_with<T>(
        &mut self,
        table: TableName,
        drivers: &[(&str, &LedgerDriver)],
        read: impl FnOnce(&Input<'_>, bool) -> Result<(T, Tally), ContractError>,
    ) -> Result<Option<T>, RunError> {
        let Some(setting) = self.settings.inputs.table(table) else { return Ok(None) };
        self.table_at(table, setting, drivers, read).map(Some)
    }

    /// The same of a table that is where `setting` says.
    pub(super) fn table_at<T>(
        &mut self,
        table: TableName,
        setting: &TableSetting,
        drivers: &[(&str, &LedgerDriver)],
        read: impl FnOnce(&Input<'_>, bool) -> Result<(T, Tally), ContractError>,
    ) -> Result<T, RunError> {
        let source = read::open(table, setting, self.base, drivers)?;
        self.note(&source);
        let columns = source.column_types()?.into_iter().map(|(name, _)| name).collect();
        let rows = source.rows.filter(|_| !source.filtered);
        let csv = setting.format == Format::Csv;
        // A table that cannot be read is said before what is wrong with the rows that could.
        let (found, scanned) = source.beside(|batches| {
            let input = Input::new(self.settings, table, columns, rows, batches);
            let found = read(&input, csv);
            input.drain();
            found
        });
        scanned?;
        let (found, tally) = found?;
        self.keep(table, tally);
        Ok(found)
    }

    /// * `groups`: columns that put customers into channels or regions, when these are wanted.
    pub(super) fn customers(&mut self, ids: &Keys, groups: &[&str]) -> Result<Option<CustomerTable>, RunError> {
        self.table(TableName::Customers, |input, csv| tables::customers(input, ids, csv, groups))
    }

    pub(super) fn products(
        &mut self,
        ledger: &[(String, polars::prelude::DataType)],
    ) -> Result<Option<ProductTable>, RunError> {
        let ids = transactions::id_kind(ledger, "product_id");
        self.table(TableName::Products, |input, csv| tables::products(input, &ids, csv))
    }

    /// Activities of the config, then those of the table, sorted by name.
    pub(super) fn activities(&mut self) -> Result<Vec<Activity>, RunError> {
        let configured = self.settings.activities.iter();
        let mut activities: Vec<Activity> =
            configured.map(|(name, setting)| Activity { name: name.clone(), setting: setting.clone() }).collect();
        if let Some(table) = self.table(TableName::Activities, |input, _| activities::activities(input))? {
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
        let takers = self.table(TableName::ResourceWeights, |input, _| resource_weights::resource_weights(input))?;
        Ok(takers.unwrap_or_default())
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
        let served = resources.values().flat_map(ResourceSetting::takers).map(|(name, _)| name.as_str());
        let own = activities.iter().map(|activity| (&activity.name, activity.setting.cost));
        let of_resources = resources
            .iter()
            .map(|(name, setting)| (name.as_str(), setting.rules().map(|service| service.rule).collect::<Vec<_>>()));
        let of_activities =
            activities.iter().map(|activity| (activity.name.as_str(), activity.setting.rules().collect::<Vec<_>>()));
        let rules = of_resources.chain(of_activities).collect();
        let costed = Costed::new(rules, self.settings.period, self.settings.as_of);
        let resources = resources.iter().map(|(name, setting)| (name, setting.cost));
        let mut pools: Vec<Pool> = own
            .clone()
            .chain(resources)
            .filter_map(|(name, cost)| {
                Some(Pool { activity: name.clone(), period: None, amount: cost?, capacity: None })
            })
            .collect();
        let (lines, capacities) = self.pool_lines(&costed)?;
        let table = pools::merge(&lines, &capacities)?;
        if let Some(twice) = table.iter().find(|pool| pools.iter().any(|own| own.activity == pool.activity)) {
            let what = format!("pools: `{}` has a cost in the config and in the table", twice.activity);
            return Err(ContractError::Setting(what).into());
        }
        pools.extend(table);
        let idle = activities.iter().filter_map(|activity| activity.setting.unused_to.as_deref());
        let served: BTreeSet<&str> = served.chain(idle).collect();
        for activity in activities {
            let elsewhere = served.contains(activity.name.as_str()) || activity.setting.is_traced();
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

    /// Lines of the pools table, added up and converted, and the capacities it gives; what was converted joins the table's
    /// accepted money.
    fn pool_lines(&mut self, costed: &Costed<'_>) -> Result<(Vec<PoolLine>, PoolCapacities), RunError> {
        let Some((lines, capacities)) = self.table(TableName::Pools, |input, _| pools::pools(input, costed))? else {
            return Ok((Vec::new(), PoolCapacities::new()));
        };
        let rates = self.table(TableName::Fx, |input, _| fx::rates(input))?.unwrap_or_default();
        let (run, period) = (&self.settings.currency, self.settings.period);
        let lines = fx::convert(lines, &rates, self.settings.fx.kind, run, period, costed)?;
        let foreign = lines.iter().filter(|line| line.currency != run.code);
        let money: i128 = foreign.map(|line| i128::from(line.converted)).sum();
        let balance = self.balances.entry(TableName::Pools).or_default();
        balance.input.amount += money;
        balance.accepted.amount += money;
        let (left, right) = (balance.accepted.amount, lines.iter().map(|line| i128::from(line.converted)).sum());
        if left != right {
            let what = "converted cost";
            return Err(ContractError::Reconciliation { table: "pools", what, left, right }.into());
        }
        Ok((lines, capacities))
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
        alone: &mut Alone,
    ) -> Result<(Cells, Vec<UnknownQuantity>), RunError> {
        let read = |input: &Input<'_>, csv| events::events(input, customers, drivers, csv);
        let Some(found) = self.table_with(TableName::Events, drivers, read)? else { return Ok((cells, unknown)) };
        let mut times: Vec<DriverQuantity> = Vec::new();
        for ((name, driver), events) in drivers.iter().zip(found) {
            let column = names.iter().position(|known| known == name).unwrap_or(0) as u32;
            for ((owner, period), quantity) in event_time::sum(name, driver, &events)? {
                match owner {
                    Owner::Known(customer) => {
                        let when = i64::from(period);
                        times.push(DriverQuantity { customer, driver: column, period, when, quantity });
                    }
                    Owner::Unknown(customer) => {
                        unknown.push(UnknownQuantity { customer, period, driver: column, quantity });
                    }
                }
            }
        }
        times.sort_unstable();
        let cells = drivers::add_quantities(cells, &times)?;
        alone.add(&cells, &times);
        Ok((cells, unknown))
    }

    /// Costs that name their customer, and their cells.
    pub(super) fn traced(
        &mut self,
        cells: Cells,
        customers: &KnownCustomers<'_>,
        activities: &[Activity],
    ) -> Result<(Cells, Vec<TracedCost>), RunError> {
        let names: Vec<&str> = activities
            .iter()
            .filter(|activity| activity.setting.is_traced())
            .map(|activity| activity.name.as_str())
            .collect();
        let read = |input: &Input<'_>, csv| costs::traced(input, customers, &names, csv);
        let Some(rows) = self.table(TableName::Traced, read)? else { return Ok((cells, Vec::new())) };
        let keys = rows.iter().filter_map(|row| Some((row.customer?, row.period))).collect();
        Ok((drivers::add_cells(cells, keys), rows))
    }

    pub(super) fn driver_quantities(
        &mut self,
        cells: Cells,
        customers: &KnownCustomers<'_>,
        (names, sources): (&[String], &[DriverSource]),
        alone: &mut Alone,
    ) -> Result<(Cells, Vec<UnknownQuantity>, AbsentDrivers), RunError> {
        let wanted: Vec<(String, u32)> = names
            .iter()
            .zip(sources)
            .enumerate()
            .filter(|(_, (name, source))| **source == DriverSource::Table && !self.settings.drivers.contains_key(*name))
            .map(|(column, (name, _))| (name.clone(), column as u32))
            .collect();
        let read = |input: &Input<'_>, csv| driver_quantities::driver_quantities(input, customers, &wanted, csv);
        let found = self.table(TableName::DriverQuantities, read)?;
        let none = || wanted.iter().map(|(name, _)| name.clone()).collect();
        let Quantities { rows, unknown, held, absent, others } =
            found.unwrap_or_else(|| Quantities { absent: none(), ..Quantities::default() });
        let known: BTreeSet<String> = self.settings.drivers.keys().cloned().chain(held).collect();
        let known: Vec<String> = known.into_iter().collect();
        let words: Vec<&str> = known.iter().map(String::as_str).collect();
        let meant = |name: String| {
            let meant = closest(&name, &words).map(str::to_owned);
            (name, meant)
        };
        let absent = AbsentDrivers { names: absent.into_iter().map(meant).collect(), known, others };
        let cells = drivers::add_quantities(cells, &rows)?;
        alone.add(&cells, &rows);
        Ok((cells, unknown, absent))
    }

    /// Receivables, each with its cell.
    pub(super) fn receivables(
        &mut self,
        cells: Cells,
        customers: &KnownCustomers<'_>,
    ) -> Result<(Cells, Vec<Receivable>), RunError> {
        let read = |input: &Input<'_>, csv| receivables::receivables(input, customers, csv);
        let Some(rows) = self.table(TableName::Receivables, read)? else { return Ok((cells, Vec::new())) };
        Ok((drivers::add_receivables(cells, &rows), rows))
    }

    /// Contracts of customers; `None` when the table is not configured.
    pub(super) fn contracts(
        &mut self,
        customers: &KnownCustomers<'_>,
        as_of: Day,
    ) -> Result<Option<Vec<CustomerContract>>, RunError> {
        self.table(TableName::Contracts, |input, csv| contracts::contracts(input, customers, csv, as_of))
    }

    /// What is known of customers beside what they bought, of tables.
    ///
    /// * `came`: first purchase of every customer.
    pub(super) fn relations(
        &mut self,
        customers: &KnownCustomers<'_>,
        as_of: Day,
        came: impl Fn() -> Vec<Day>,
    ) -> Result<Relations, RunError> {
        Ok(Relations {
            referrals: self.table(TableName::Referrals, |input, csv| {
                referrals::referrals(input, customers, csv, as_of, &came())
            })?,
            opportunities: self
                .table(TableName::Opportunities, |input, csv| relations::opportunities(input, customers, csv, as_of))?,
            learning: self
                .table(TableName::Learning, |input, csv| relations::learning(input, customers, csv, as_of))?,
            inspiring: self
                .table(TableName::Interactions, |input, csv| relations::interactions(input, customers, csv, as_of))?,
            ..Relations::default()
        })
    }
}
