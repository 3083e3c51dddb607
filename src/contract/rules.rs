//! Policies and limits of a table's rules, and the tally of broken rows.

use std::collections::BTreeMap;

use super::{ContractError, name};
use crate::{
    numeric::decimal::format_minor,
    schema::{
        checks::{Check, CheckKind, CheckOutcome, Threshold, judge},
        contract::{Bucket, InputBalance, RejectedRow},
        money::Currency,
        settings::{Policy, RuleSetting, Settings, TableName},
    },
    units::Minor,
};

/// The rules of one table, with the user's policies over the defaults.
#[derive(Clone, Debug)]
pub struct Rules {
    table: TableName,
    settings: BTreeMap<String, RuleSetting>,
    currency: Currency,
    /// Whether the table's rows carry money.
    money: bool,
}

/// What a rule that is not configured does.
#[must_use]
pub fn default_policy(table: TableName, rule: &str) -> Policy {
    match rule {
        "wrong_currency"
        | "unknown_product"
        | "duplicate_customer"
        | "duplicate_product"
        | "duplicate_activity"
        | "duplicate_key"
        | "missing_product"
        | "missing_activity"
        | "invalid_dates"
        | "unknown_activity"
        | "missing_pool"
        | "invalid_capacity"
        | "invalid_period"
        | "overlapping_contract"
        | "unknown_currency"
        | "missing_currency"
        | "invalid_rate"
        | "unknown_group"
        | "unknown_measure"
        | "unknown_action"
        | "missing_action"
        | "invalid_effect"
        | "duplicate_prospect" => Policy::Error,
        "invalid_weight" if table == TableName::ResourceWeights => Policy::Error,
        "unknown_kind" if table == TableName::Fx => Policy::Error,
        // A cost that cannot be read would leave the totals.
        "invalid_amount"
            if matches!(
                table,
                TableName::Pools
                    | TableName::Traced
                    | TableName::Customers
                    | TableName::AcquisitionPlan
                    | TableName::Market
                    | TableName::Actions
                    | TableName::Truth
            ) =>
        {
            Policy::Error
        }
        // What is wrong of one more thing that is known of a customer would take all its revenue with it.
        "invalid_flag" | "invalid_probability" if table == TableName::Customers => Policy::Error,
        // Its equity would vanish from the bridge.
        "unknown_customer" if table == TableName::EarlierRun => Policy::Error,
        "missing_value" | "unknown_driver" | "unknown_kind" => Policy::Warn,
        // The quantity or cost of an unknown customer is nobody's: dropped, everybody else would pay for it.
        "unknown_customer" | "missing_customer"
            if matches!(table, TableName::DriverQuantities | TableName::Traced | TableName::Events) =>
        {
            Policy::Warn
        }
        _ => Policy::Reject,
    }
}

impl Rules {
    /// Rules of `table` in this run.
    #[must_use]
    pub fn new(settings: &Settings, table: TableName) -> Self {
        Self {
            table,
            settings: settings.contract.get(&table).cloned().unwrap_or_default(),
            currency: settings.currency.clone(),
            money: match table {
                TableName::Customers => {
                    let customers = settings.inputs.customers.as_ref();
                    customers.is_some_and(|table| table.columns.contains_key("acquisition_cost"))
                }
                table => table.carries_money(),
            },
        }
    }

    /// Which table.
    #[must_use]
    pub fn table(&self) -> TableName {
        self.table
    }

    /// What a broken row does.
    #[must_use]
    pub fn policy(&self, rule: &str) -> Policy {
        self.settings.get(rule).map_or_else(|| default_policy(self.table, rule), |setting| setting.policy)
    }

    /// The user's setting of a rule.
    #[must_use]
    pub fn setting(&self, rule: &str) -> Option<&RuleSetting> {
        self.settings.get(rule)
    }

    /// Judges a finished table: every rule whose policy is `error` or whose limit is passed, and the table's balance.
    ///
    /// # Errors
    /// [`ContractError::Refused`] with all broken rules, [`ContractError::Reconciliation`].
    pub fn judge(&self, balance: &InputBalance) -> Result<(), ContractError> {
        self.judge_of(balance, |_| None)
    }

    /// The same, where more is known of who breaks a rule.
    ///
    /// * `of`: what is at stake by a rule's name, in words.
    ///
    /// # Errors
    /// As [`Self::judge`].
    pub fn judge_of(&self, balance: &InputBalance, of: impl Fn(&str) -> Option<String>) -> Result<(), ContractError> {
        let table = name(self.table);
        if !balance.is_tied() {
            let out = [balance.accepted, balance.unassigned, balance.rejected];
            let amount = out.iter().map(|bucket| bucket.amount).sum();
            let rows: u64 = out.iter().map(|bucket| bucket.rows).sum();
            let (what, left, right) = if rows == balance.input.rows {
                ("money", balance.input.amount, amount)
            } else {
                ("rows", balance.input.rows.into(), rows.into())
            };
            return Err(ContractError::Reconciliation { table, what, left, right });
        }
        let failed = self.checks(balance).into_iter().filter(|check| check.outcome == CheckOutcome::Fail);
        let told = |check: Check| match (check.message, of(&check.name)) {
            (Some(message), Some(of)) => Some(format!("{message}; {of}")),
            (message, _) => message,
        };
        let mut broken: Vec<String> = failed.filter_map(told).collect();
        broken.sort_unstable();
        if broken.is_empty() { Ok(()) } else { Err(ContractError::Refused { broken }) }
    }

    /// Refuses a table of which nothing is left.
    ///
    /// # Errors
    /// [`ContractError::Refused`] with the rules and their rows.
    pub fn judge_rest(&self, balance: &InputBalance) -> Result<(), ContractError> {
        let all = balance.input.rows;
        if all == 0 || balance.accepted.rows + balance.unassigned.rows > 0 {
            return Ok(());
        }
        let rejecting = balance.rules.iter().filter(|(_, (policy, _))| *policy != Policy::Warn);
        let rules: Vec<String> = rejecting.map(|(rule, (_, found))| format!("`{rule}` {}", found.rows)).collect();
        let what = format!("{}: none of {all} rows is accepted; by rule: {}", name(self.table), rules.join(", "));
        Err(ContractError::Refused { broken: vec![what] })
    }

    /// What became of every rule of the table: of a range rule where it has a range.
    #[must_use]
    pub fn checks(&self, balance: &InputBalance) -> Vec<Check> {
        let ranges = |rule: &str| rule.ends_with("_range") && !self.settings.contains_key(rule);
        let own = self.table.rules().iter().copied().filter(|rule| !ranges(rule));
        let more = balance.rules.keys().copied().filter(|rule| !self.table.rules().contains(rule));
        own.chain(more)
            .map(|rule| {
                let none = || (self.policy(rule), Bucket::default());
                let (policy, found) = balance.rules.get(rule).copied().unwrap_or_else(none);
                self.check(rule, policy, found, balance)
            })
            .collect()
    }

    fn check(&self, rule: &str, policy: Policy, found: Bucket, balance: &InputBalance) -> Check {
        let all = balance.input.rows;
        let (outcome, limit) = self.outcome(rule, policy, found, all);
        // Whoever is stopped has no `rejected` to look at.
        let reasons = balance.reasons.get(rule).filter(|_| outcome == CheckOutcome::Fail);
        let reasons: Vec<&str> = reasons.into_iter().flatten().copied().collect();
        let why = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", or ")) };
        let table = name(self.table);
        let message = limit.map(|limit| {
            // A row whose amount nobody can read is no row of 0.00.
            let money = if self.money && found.amount != 0 {
                format!(" ({} {})", format_minor(found.amount, self.currency.exponent), self.currency.code)
            } else {
                String::new()
            };
            format!("{table}: rule `{rule}` is broken by {} of {all} rows{money}{why}; {limit}", found.rows)
        });
        Check {
            kind: CheckKind::Rule,
            on: table.to_owned(),
            name: rule.to_owned(),
            severity: policy.as_str(),
            found: found.rows,
            of: Some(all),
            amount: self.money.then_some(found.amount),
            outcome,
            message,
        }
    }

    /// How a rule ends, with the limit that is passed. A row that is only counted is told unless `warn_if` allows it; one
    /// that is rejected was meant to be.
    fn outcome(&self, rule: &str, policy: Policy, found: Bucket, all: u64) -> (CheckOutcome, Option<String>) {
        if found.rows == 0 {
            return (CheckOutcome::Pass, None);
        }
        if policy == Policy::Error {
            return (CheckOutcome::Fail, Some("its policy is error".to_owned()));
        }
        let none = Threshold::default();
        let (error_if, warn_if) =
            self.settings.get(rule).map_or((none, none), |setting| (setting.error_if, setting.warn_if));
        match judge((&error_if, &warn_if), found, all, &self.currency) {
            (CheckOutcome::Pass, _) if policy == Policy::Warn && warn_if.is_none() => {
                (CheckOutcome::Warn, Some("its policy is warn".to_owned()))
            }
            ended => ended,
        }
    }
}

/// The running tally of one slice of a table.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Rows and money by bucket and rule.
    pub balance: InputBalance,
    /// Rejected rows.
    pub rejected: Vec<RejectedRow>,
}

impl Tally {
    /// Adds another slice's tally.
    pub fn combine(&mut self, mut other: Self) {
        self.balance.combine(&other.balance);
        self.rejected.append(&mut other.rejected);
    }

    /// Counts a broken rule.
    pub fn broken(&mut self, rule: &'static str, policy: Policy, amount: Option<Minor>) {
        let bucket = &mut self.balance.rules.entry(rule).or_insert((policy, Bucket::default())).1;
        bucket.add(amount.unwrap_or(0));
    }

    /// Rejects a row.
    pub fn reject(&mut self, row: RejectedRow) {
        self.balance.rejected.add(row.amount.unwrap_or(0));
        self.balance.reasons.entry(row.rule).or_default().insert(row.reason);
        self.rejected.push(row);
    }
}
