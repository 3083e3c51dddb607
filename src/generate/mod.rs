//! `whalecurve generate`: a synthetic company of any size whose truth is known, so that every estimate can be scored.
//!
//! ```text
//! survey ──► how many orders, returns and line weights there are     (every customer drawn once)
//!    ├─────► transactions/   window by window of days                (drawn again for each window)
//!    └─────► customers/ driver_quantities/ receivables/ referrals/ truth/   (drawn once more)
//!                └──► pools/ activities/ products/ whalecurve.yaml parameters.json README.md
//! ```
//!
//! Random streams are keyed by customer, so that a customer can be drawn again at will instead of being kept: memory
//! is bounded by one window of the ledger, and the bytes do not depend on the number of threads.

mod catalogue;
mod company;
mod costs;
mod customers;
mod documents;
mod error;
mod ledger;
mod lines;
mod process;
mod small;
mod staging;
mod survey;
mod tables;
#[cfg(test)]
mod tests;

use camino::Utf8Path;
use serde::Serialize;

pub use company::{
    AS_OF, LINES_PER_CUSTOMER, MAX_CUSTOMERS, MAX_LINES_PER_CUSTOMER, MAX_TRANSACTIONS, Population, SPAN_WEEKS, START,
    Scenario, Size,
};
pub use costs::Pool;
pub use error::GenerateError;

use catalogue::Catalogue;
use company::Company;
use process::Process;
use staging::Staging;
use survey::Survey;

/// How far the generation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Rows done.
    pub done: u64,
    /// Rows in all.
    pub total: u64,
}

/// A step of the generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Counting orders; rows are customers.
    Survey,
    /// Writing the ledger; rows are ledger lines.
    Transactions,
    /// Writing customers and their truth; rows are customers.
    Customers,
}

/// What was generated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Seed of every random stream.
    pub seed: u64,
    /// Customers.
    pub customers: u64,
    /// Customers that have not dropped out by the end.
    pub alive: u64,
    /// Ledger lines, returns included.
    pub transactions: u64,
    /// Orders.
    pub orders: u64,
    /// Ledger lines that are returns.
    pub returns: u64,
    /// Products.
    pub products: u64,
    /// Σ of positive amounts, before discounts and returns, in cents.
    pub gross: i128,
    /// Cost pools, in the order of `activities`.
    pub pools: Vec<Pool>,
    /// Parquet files.
    pub files: usize,
}

/// Generates a company into the folder `dir`, which must be empty or absent.
///
/// Its tables, columns and process are described in the `README.md` that it writes; `whalecurve.yaml` runs it.
/// Everything is written to a hidden folder within `dir` first and moved into place at the end, the config last.
/// Equal scenarios and versions give equal bytes, for any number of threads.
///
/// * `threads`: all cores when absent.
/// * `progress`: called now and then, from any thread.
///
/// # Errors
/// Every kind of [`GenerateError`]; then `dir` holds nothing.
///
/// Source of the process: Fader, Hardie & Lee, "Counting your customers" the easy way (2005); Fader & Hardie, The
/// Gamma-Gamma model of monetary value (2013).
pub fn generate(
    scenario: Scenario,
    threads: Option<usize>,
    dir: &Utf8Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Summary, GenerateError> {
    scenario.size.check()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build()?;
    let staging = Staging::new(dir)?;
    let summary = pool.install(|| write(scenario, staging.path(), progress))?;
    staging.publish()?;
    Ok(summary)
}

/// Every attempt at fitting the drawn orders into the lines expects this share of the last one's repeat orders.
const SLOWER: f64 = 0.75;

/// Draws the company; where its orders happen to be more than its lines, a slower one (only in tiny companies does
/// chance reach so far).
fn survey(scenario: Scenario) -> Result<(Company, Survey), GenerateError> {
    let mut pace = 1.0;
    loop {
        let company = Company::new(scenario, pace)?;
        if let Some(survey) = Survey::new(&Process::new(&company)) {
            return Ok((company, survey));
        }
        pace *= SLOWER;
    }
}

fn write(scenario: Scenario, dir: &Utf8Path, progress: &(dyn Fn(Progress) + Sync)) -> Result<Summary, GenerateError> {
    let Scenario { size: Size { customers, transactions }, seed, .. } = scenario;
    progress(Progress { stage: Stage::Survey, done: 0, total: customers });
    let (company, survey) = survey(scenario)?;
    progress(Progress { stage: Stage::Survey, done: customers, total: customers });
    let process = Process::new(&company);
    let catalogue = Catalogue::new(seed, customers);
    for folder in ["transactions"].iter().chain(&customers::FOLDERS).chain(&small::FOLDERS) {
        let path = dir.join(folder);
        std::fs::create_dir(&path).map_err(error::io(&path))?;
    }
    let ledger = ledger::write(&process, &survey, &catalogue, &dir.join("transactions"), &|done| {
        progress(Progress { stage: Stage::Transactions, done, total: transactions });
    })?;
    let base = customers::write(&process, &survey, &catalogue, dir, &|done| {
        progress(Progress { stage: Stage::Customers, done, total: customers });
    })?;
    let pools = base.used.pools();
    small::write(&catalogue, &pools, dir)?;
    let summary = Summary {
        seed,
        customers,
        alive: base.alive,
        transactions: ledger.rows,
        orders: survey.orders,
        returns: survey.returns,
        products: catalogue.products.len() as u64,
        gross: ledger.gross,
        pools,
        files: ledger.files + base.files + small::FOLDERS.len(),
    };
    documents::write(&company, &summary, dir)?;
    Ok(summary)
}
