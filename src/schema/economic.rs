//! What stands between CM3 and economic profit: capital charge, bad debt, commissions, acquisition cost.

use std::sync::Arc;

use serde::Serialize;

use super::{period::PeriodKind, tables::Receivable};
use crate::{
    numeric::decimal::Decimal,
    units::{Days, Minor},
};

/// How the parts of economic profit are made; what is `None` is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EconomicSettings {
    /// Cost of the capital bound in receivables.
    pub capital_charge: Option<CapitalCharge>,
    /// Expected loss on receivables. Without it bad debt is what the receivables table wrote off.
    pub bad_debt: Option<BadDebt>,
    /// What is paid to those who sell.
    pub commissions: Option<Commissions>,
}

/// Cost of the capital bound in receivables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CapitalCharge {
    /// Rate, 0.10 = 10 %.
    pub rate: Decimal,
    /// What the rate is for.
    pub every: RatePeriod,
    /// Days until customers pay: the balance is net revenue × days / 365. `None` = the receivables table's balance.
    pub days: Option<u16>,
}

/// What an interest rate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RatePeriod {
    /// A year of 365 days.
    Year,
    /// A calendar month: the twelfth part of a year where the run has no calendar periods.
    Month,
}

/// Expected loss on receivables: `exposure · probability · loss`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BadDebt {
    /// Probability of default of a customer that the receivables table has none for, 0 to 1.
    pub probability: Option<Decimal>,
    /// Whether the probabilities are for a year of 365 days, and not for the balance as it stands.
    pub per_year: bool,
    /// Loss given default: the share of the exposure that is lost, 0 to 1.
    pub loss: Decimal,
    /// Days until customers pay: the exposure is net revenue × days / 365. `None` = the receivables table's balance.
    pub days: Option<u16>,
    /// Whether the probability is that of the customer's grade of payment behaviour, which is for a year; `probability` is then
    /// for those without one, and of the grade in the middle where it is `None`.
    pub by_grade: bool,
}

/// What is paid to those who sell: `rate · base`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Commissions {
    /// Rate, 0.05 = 5 %.
    pub rate: Decimal,
    /// What it is paid on.
    pub of: CommissionBase,
    /// Whether commission is taken back where the base is negative.
    pub clawback: bool,
}

/// What a commission is paid on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommissionBase {
    /// Gross sales − returns − discount.
    NetRevenue,
    /// Contribution margin 1.
    Cm1,
    /// Sales before returns and discount.
    GrossSales,
}

/// All that economic profit needs beside the margins.
#[derive(Clone, Debug)]
pub struct EconomicInputs {
    /// Rates and bases.
    pub settings: EconomicSettings,
    /// Receivables, sorted by customer, then period; each has its cell.
    pub receivables: Arc<Vec<Receivable>>,
    /// Cost of winning the customer, one a cell; empty when nothing is known of it.
    pub acquisition_cost: Arc<Vec<Minor>>,
    /// Length of a period.
    pub kind: PeriodKind,
    /// Days of the whole run, for a run without periods.
    pub span: Days,
}

/// No cost beyond CM3.
impl Default for EconomicInputs {
    fn default() -> Self {
        Self {
            settings: EconomicSettings::default(),
            receivables: Arc::default(),
            acquisition_cost: Arc::default(),
            kind: PeriodKind::Whole,
            span: 1,
        }
    }
}

/// The parts of economic profit beyond CM3, one row a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EconomicCost {
    /// Cost of capital bound in receivables.
    pub capital_charge: Vec<Minor>,
    /// Written off, or expected to be lost.
    pub bad_debt: Vec<Minor>,
    /// Paid to those who sell.
    pub commissions: Vec<Minor>,
    /// Cost of winning the customer.
    pub acquisition_cost: Vec<Minor>,
}

impl EconomicCost {
    /// Every part.
    #[must_use]
    pub fn parts(&self) -> [&[Minor]; 4] {
        [&self.capital_charge, &self.bad_debt, &self.commissions, &self.acquisition_cost]
    }
}
