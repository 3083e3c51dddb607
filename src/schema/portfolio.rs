//! How customers are put into groups: what a config says of scores, tiers, roles, credit grades and segments.

use serde::Serialize;

use crate::{
    numeric::decimal::Decimal,
    units::{Minor, QUANTITY_SCALE, Quantity},
};

/// Groups of customers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PortfolioSettings {
    /// Groups of recency, frequency and monetary value, 2 to 10.
    pub rfm_groups: u8,
    /// Fixed cuts in place of equal groups.
    pub rfm_cuts: Option<RfmCuts>,
    /// Value tiers from the best customer down: name and share; shares sum to 1.
    pub value_tiers: Vec<ValueTier>,
    /// What the shares are of, or the amounts that take their place.
    pub tiers_by: TiersBy,
    /// What recommending brings.
    pub networking: NetworkingSettings,
    /// Where present profit and future potential part the portfolio.
    pub analysis: AnalysisSettings,
    /// Other ways to serve a customer, sorted by name.
    pub ways_to_serve: Vec<WayToServe>,
    /// Who is of strategic significance.
    pub roles: RoleSettings,
    /// Grades of payment behaviour.
    pub credit: CreditSettings,
    /// The user's own segments, in order: name and SQL expression. Empty = none.
    pub segments: Vec<(String, String)>,
    /// Clusters by k-means; `None` = none.
    pub clusters: Option<ClusterSettings>,
}

/// One value tier.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueTier {
    /// Name of the tier.
    pub name: String,
    /// Share of all customers (or of their value), above 0 to 1; 0 where amounts cut the tiers.
    pub share: f64,
}

/// What cuts value tiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TiersBy {
    /// Shares of customers.
    #[default]
    Customers,
    /// Shares of the value of all customers of positive value.
    Value,
    /// Least value of each tier, descending; the last tier has all that are below, too.
    Cuts(Vec<Minor>),
}

/// Fixed cuts of scores, each list ascending; a value at or above the n-th cut scores at least n + 1 (recency: days since the
/// last purchase, at or below).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RfmCuts {
    /// Days since the last purchase.
    pub recency: Vec<i64>,
    /// Purchase days.
    pub frequency: Vec<i64>,
    /// Net revenue in minor units.
    pub monetary: Vec<Minor>,
}

/// What a referred customer passes on to those who recommended us to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NetworkingSettings {
    /// Probability that a referred customer would not have come otherwise, 0 to 1.
    pub new_share: Decimal,
    /// What is left of a value from one generation of referrals to the next, 0 to 1.
    pub decay: Decimal,
    /// What winning a customer costs without a referral; `None` = the mean over customers without one.
    pub acquisition_cost: Option<Minor>,
}

/// Where present profit and future potential part the portfolio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AnalysisSettings {
    /// Present profit above this is profitable.
    pub present_above: Minor,
    /// Growth potential of at least this is a future; `None` = the median of those above 0.
    pub future_at_least: Option<Minor>,
}

/// Another way to serve a customer: what it does to the quantities of drivers, or to the cost of activities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WayToServe {
    /// Name.
    pub name: String,
    /// Factors on the quantities of drivers, sorted by driver.
    pub drivers: Vec<(String, Decimal)>,
    /// Factors on the cost of activities, sorted by activity.
    pub activities: Vec<(String, Decimal)>,
}

/// Who is of strategic significance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleSettings {
    /// Share of customers that have a high lifetime value, 0 to 1.
    pub high_lifetime_value: Decimal,
    /// Customers referred, by generations, from which on others copy it; scaled by 10⁶.
    pub benchmark_referrals: Quantity,
    /// Share of customers that inspire us most, 0 to 1.
    pub inspiration: Decimal,
    /// Kinds of interactions that inspire, with their weight scaled by 10⁶, sorted by kind.
    pub inspiring: Vec<(String, Quantity)>,
    /// How many times its share of sales, and the mean, a cost magnet bears of fixed cost.
    pub cost_magnet: Decimal,
}

/// Grades of payment behaviour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreditSettings {
    /// Days late up to which a customer has grade A, B, C and D; scaled by 10⁶.
    pub days_late: [Quantity; 4],
    /// The same of the share of the balance that is overdue.
    pub overdue_share: [Decimal; 4],
    /// The same of the share that is disputed.
    pub disputed_share: [Decimal; 4],
    /// The same of what was written off, as a share of net revenue.
    pub write_off_share: [Decimal; 4],
    /// Days later from period to period that make a grade one worse; scaled by 10⁶, above 0.
    pub worsening: Quantity,
    /// Periods in which a record loses half of its weight, above 0.
    pub half_life: Decimal,
    /// Probability of default of grades A to E.
    pub default_probability: [Decimal; 5],
}

/// Clusters by k-means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClusterSettings {
    /// Number of clusters.
    pub clusters: u8,
    /// Columns of the outputs.
    pub columns: Vec<String>,
    /// How columns are made comparable.
    pub scale: ClusterScale,
}

/// How columns are made comparable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterScale {
    /// Mean 0, standard deviation 1.
    Standard,
    /// The same of sign · ln(1 + |value|).
    Log,
    /// The same of the rank.
    Rank,
}

/// Portfolio group of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortfolioGroup {
    /// Valuable now and later.
    Invest,
    /// Neither.
    LetGo,
    /// Profitable now, little future.
    Nurture,
    /// Not profitable now, but it could be.
    ReEngineer,
}

impl PortfolioGroup {
    /// Every group, sorted by name.
    pub const ALL: [Self; 4] = [Self::Invest, Self::LetGo, Self::Nurture, Self::ReEngineer];

    /// The name in outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invest => "invest",
            Self::LetGo => "let_go",
            Self::Nurture => "nurture",
            Self::ReEngineer => "re_engineer",
        }
    }
}

/// What the portfolio analysis says of every customer, one row each in the order of [`Customers`](super::facts::Customers).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Portfolio {
    /// Economic profit before acquisition cost: of the last 12 whole months or 4 whole quarters, else to date.
    pub present: Vec<Minor>,
    /// Group; `None` without a forecast.
    pub group: Option<Vec<PortfolioGroup>>,
    /// Best other way to serve a customer that is not profitable, as a position in `ways`, with the profit it would then have.
    pub best_way: Vec<Option<(u16, Minor)>>,
    /// Names of the ways to serve: those of the config, then the scenario.
    pub ways: Vec<String>,
    /// Strategic significance.
    pub roles: Roles,
}

/// Who is of strategic significance, one row a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roles {
    /// Among the best by expected lifetime value; `None` without a forecast.
    pub high_lifetime_value: Option<Vec<bool>>,
    /// Others copy it; `None` where neither a flag nor referrals are known.
    pub benchmark: Option<Vec<bool>>,
    /// Customers referred, by generations, scaled by 10⁶; `None` without referrals.
    pub influence: Option<Vec<Quantity>>,
    /// Among those who inspire us most; `None` without interactions.
    pub inspiration: Option<Vec<bool>>,
    /// Weight of interactions for sales.
    pub inspiration_score: Option<Vec<f64>>,
    /// Absorbs far more fixed cost than its share.
    pub cost_magnet: Vec<bool>,
    /// How many times its share of sales its share of fixed cost is.
    pub fixed_cost_ratio: Vec<Option<f64>>,
}

impl Portfolio {
    /// Whether a customer that is not profitable has a role for which it should not be ended by the number alone.
    #[must_use]
    pub fn is_protected(&self, row: usize, present_above: Minor) -> bool {
        self.present[row] <= present_above && self.roles.any(row)
    }
}

impl Roles {
    /// Names of the roles, as the columns of `customer_segment` have them.
    pub const NAMES: [&str; 4] = ["high_lifetime_value", "benchmark", "inspiration", "cost_magnet"];

    /// Names of a customer's roles.
    pub fn of(&self, row: usize) -> impl Iterator<Item = &'static str> {
        let has = |role: &Option<Vec<bool>>| role.as_ref().is_some_and(|role| role[row]);
        let all = [has(&self.high_lifetime_value), has(&self.benchmark), has(&self.inspiration), self.cost_magnet[row]];
        Self::NAMES.into_iter().zip(all).filter(|(_, has)| *has).map(|(name, _)| name)
    }

    /// Whether a customer has any role.
    #[must_use]
    pub fn any(&self, row: usize) -> bool {
        self.of(row).next().is_some()
    }
}

/// How a customer pays.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Payment {
    /// Periods with a record.
    pub periods: u32,
    /// Days late, the newest periods weighing most.
    pub days_late: Option<f64>,
    /// Days that it pays later from period to period.
    pub trend: Option<f64>,
    /// Share of the balance that is overdue.
    pub overdue_share: Option<f64>,
    /// Share of the balance that is disputed.
    pub disputed_share: Option<f64>,
    /// Write-offs as a share of net revenue.
    pub write_off_share: Option<f64>,
    /// 0 = A to 4 = E.
    pub grade: Option<u8>,
}

impl Payment {
    /// Names of the grades.
    pub const GRADES: [&'static str; 5] = ["A", "B", "C", "D", "E"];
}

/// Tiers when nobody gives any.
///
/// Source: Zeithaml, Rust & Lemon, The Customer Pyramid (2001), names the four tiers; the shares are this engine's.
const TIERS: [(&str, f64); 4] = [("platinum", 0.05), ("gold", 0.15), ("iron", 0.30), ("lead", 0.50)];

/// Quintiles, four tiers, and no segments of one's own. A referred customer would not have come otherwise with one half, and one
/// half is left from generation to generation: no source gives shares for every trade, these are the middle.
impl Default for PortfolioSettings {
    fn default() -> Self {
        let half = Decimal { mantissa: 5, scale: 1 };
        Self {
            rfm_groups: 5,
            rfm_cuts: None,
            value_tiers: TIERS.map(|(name, share)| ValueTier { name: name.to_owned(), share }).to_vec(),
            tiers_by: TiersBy::Customers,
            networking: NetworkingSettings { new_share: half, decay: half, acquisition_cost: None },
            analysis: AnalysisSettings { present_above: 0, future_at_least: None },
            ways_to_serve: Vec::new(),
            roles: RoleSettings::default(),
            credit: CreditSettings::default(),
            segments: Vec::new(),
            clusters: None,
        }
    }
}

const fn hundredths(mantissa: i128) -> Decimal {
    Decimal { mantissa, scale: 2 }
}

/// The shares and factors are this engine's.
impl Default for RoleSettings {
    fn default() -> Self {
        let kind = |kind: &str| (kind.to_owned(), QUANTITY_SCALE);
        Self {
            high_lifetime_value: hundredths(10),
            benchmark_referrals: 3 * QUANTITY_SCALE,
            inspiration: hundredths(5),
            inspiring: vec![kind("complaint"), kind("demanding_request"), kind("idea")],
            cost_magnet: hundredths(200),
        }
    }
}

/// Days late in steps of a fortnight and a month, as ageing lists have them; probabilities are this engine's.
impl Default for CreditSettings {
    fn default() -> Self {
        Self {
            days_late: [0, 15, 30, 60].map(|days| days * QUANTITY_SCALE),
            overdue_share: [5, 15, 30, 60].map(hundredths),
            disputed_share: [5, 15, 30, 60].map(hundredths),
            write_off_share: [0, 1, 3, 10].map(hundredths),
            worsening: 5 * QUANTITY_SCALE,
            half_life: hundredths(400),
            default_probability: [5, 10, 30, 100, 250].map(|mantissa| Decimal { mantissa, scale: 3 }),
        }
    }
}
