//! Why a run's cost cannot be allocated: the rule, the object, the money at stake.

use thiserror::Error;

use super::{error::MethodError, network::NetworkError, spread::AllocateError, time_equation::EquationError};
use crate::{schema::tables::Activity, units::MinorSum};

/// Why one pool cannot be allocated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Its method.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// Its time equation.
    #[error("time equation, {0}")]
    Equation(#[from] EquationError),
    /// A driver that neither the ledger nor a table gives.
    #[error("driver `{driver}` is neither in `drivers` nor in driver_quantities{meant}; known drivers: {known}")]
    MissingDriver {
        /// Name.
        driver: String,
        /// In brackets, the one that was probably meant; nothing without one.
        meant: String,
        /// Every known one.
        known: String,
        /// Whether the activity may say what becomes of its cost without the driver.
        excusable: bool,
    },
    /// A cost basis that is no cost.
    #[error("`{name}` is neither product_cost nor an activity that is allocated before it")]
    UnknownCost {
        /// Name.
        name: String,
    },
    /// Cost bases that need each other.
    #[error("it is in proportion to its own cost, through {}", .through.join(", "))]
    CostLoop {
        /// The activities that wait for each other.
        through: Vec<String>,
    },
    /// Unused cost that goes on in a circle.
    #[error("its unused cost comes back to it by `unused_to`, through {}", .through.join(", "))]
    UnusedLoop {
        /// The activities that wait for each other.
        through: Vec<String>,
    },
    /// A resource pool that serves nobody whom the run knows.
    #[error("rule `{rule}` serves `{taker}`, which is neither an activity nor a resource pool; known: {known}")]
    NoTarget {
        /// Name of the rule.
        rule: String,
        /// Who is served.
        taker: String,
        /// Every activity and resource pool.
        known: String,
    },
    /// A resource pool without takers.
    #[error("rule `{rule}` names nobody whom it serves")]
    ServesNobody {
        /// Name of the rule.
        rule: String,
    },
    /// A resource pool of a level above customers that serves activities whose cost they bear.
    #[error("rule `{rule}` brings cost of level {level} to `{taker}`, whose cost customers bear")]
    PushedDown {
        /// Name of the rule.
        rule: String,
        /// Level of the resource pool.
        level: &'static str,
        /// Activity.
        taker: String,
    },
    /// A share for a segment that no customer is in.
    #[error("segment `{segment}` has a share, but no customer is in it; known segments: {known}")]
    UnknownSegment {
        /// Name.
        segment: String,
        /// Every known one.
        known: String,
    },
    /// A rule outside its dates.
    #[error("rule `{rule}` version {version} holds {validity}, not on {at}")]
    NotValid {
        /// Name of the rule.
        rule: String,
        /// Its version.
        version: u32,
        /// Its dates.
        validity: String,
        /// Day for which it would be needed.
        at: String,
    },
    /// Rules that follow each other with a gap between them, before the first or after the last.
    #[error("no rule holds on {at}; there are {rules}")]
    NoRule {
        /// First day without a rule.
        at: String,
        /// Every rule with its version and dates.
        rules: String,
    },
    /// Costs that name their customer, in a period whose rule does not trace.
    #[error("costs of the traced table are of a period in which it goes by method {method}")]
    NotTraced {
        /// The period's method.
        method: &'static str,
    },
    /// Fixed amounts, or a fixed part, that leave a rest of the other sign.
    #[error("the fixed amounts are more than the pool of {pool}")]
    FixedAbovePool {
        /// Cost of the pool, in major units.
        pool: String,
        /// The fixed amounts together, in minor units: what is at stake.
        fixed: MinorSum,
    },
    /// A method and a policy that do not go together.
    #[error("{wrong}")]
    Combination {
        /// Which.
        wrong: &'static str,
    },
    /// Driver quantities of unknown customers under a policy that cannot set them apart.
    #[error("unknown customers have driver quantities, and shares by signed quantities cannot set them apart")]
    SignedUnknown,
}

impl From<AllocateError> for Refusal {
    fn from(error: AllocateError) -> Self {
        Self::Method(error.into())
    }
}

impl Refusal {
    /// Comma and name of the rule, for an error of an activity; nothing where the rule has no other name, or the reason
    /// names it. The version tells rules apart that follow each other.
    ///
    /// * `number`: of the rule.
    pub(super) fn by(&self, activity: &Activity, number: usize) -> String {
        let setting = activity.setting.under(number);
        match (&setting.rule.id, self) {
            (_, Self::NotValid { .. } | Self::NoRule { .. }) => String::new(),
            _ if !activity.setting.later.is_empty() => {
                format!(", rule `{}` version {}", setting.rule.name(&activity.name), setting.rule.version)
            }
            (Some(id), _) => format!(", rule `{id}`"),
            _ => String::new(),
        }
    }

    /// The money at stake where it is not the pool's.
    pub(super) fn at_stake(&self) -> Option<MinorSum> {
        match self {
            Self::FixedAbovePool { fixed, .. } => Some(*fixed),
            _ => None,
        }
    }

    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::FixedAbovePool { .. } => MethodError::FixedAbovePool.hint(),
            Self::Method(error) => error.hint(),
            Self::Equation(error) => error.hint(),
            Self::MissingDriver { excusable: true, .. } => {
                Some("mend its name, add its rows to inputs.driver_quantities, or say no_driver: unassigned")
            }
            Self::MissingDriver { .. } => Some("mend its name, or add its rows to inputs.driver_quantities"),
            Self::UnknownCost { .. } => Some("write of: [product_cost, ACTIVITY, …]"),
            Self::CostLoop { .. } => Some("let one of them be in proportion to something else"),
            Self::UnusedLoop { .. } => Some("let one of them keep its unused cost, or hand it to another activity"),
            Self::NoTarget { .. } => Some("mend the name under `to`, or add the activity to inputs.activities"),
            Self::ServesNobody { .. } => Some("name its takers under `to`, or add them to inputs.resource_weights"),
            Self::PushedDown { .. } => {
                Some("say push_down: true on the resource pool, or let it serve an activity of its own level")
            }
            Self::UnknownSegment { .. } => Some(
                "check the name and the column `segment` of inputs.customers (with --cost-object channel or region, activities \
                 of that level name channels or regions)",
            ),
            Self::NotValid { .. } | Self::NoRule { .. } => {
                Some("change valid_from or valid_to of the rule, or give the period another rule")
            }
            Self::NotTraced { .. } => Some("let a rule with method traced hold in the period, or take the costs out"),
            Self::Combination { .. } => None,
            Self::SignedUnknown => Some("choose `negative: zero` or `separate`, or mend the customer ids"),
        }
    }
}

/// A pool that cannot be allocated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("activity `{activity}`{rule}{when}: {reason}; {money} {currency} are at stake")]
pub struct PoolError {
    /// Activity.
    pub activity: String,
    /// Comma and name of the rule, or nothing where it has no other name than the activity.
    pub rule: String,
    /// ` in 1997-03`, or nothing for the whole run.
    pub when: String,
    /// What is wrong.
    pub reason: Refusal,
    /// Cost of the pool, in major units.
    pub money: String,
    /// Currency code.
    pub currency: String,
}

/// Whatever stops the stage.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CostError {
    /// A pool.
    #[error(transparent)]
    Pool(#[from] Box<PoolError>),
    /// Resource pools that serve each other.
    #[error("resources{when}{rules}: {reason}; {money} {currency} are at stake")]
    Resources {
        /// ` in 1997-03`, or nothing for the whole run.
        when: String,
        /// Comma and the names of the rules in question, as far as they have names of their own.
        rules: String,
        /// What is wrong, with the pools' names.
        reason: String,
        /// The error behind it.
        source: NetworkError,
        /// Cost of the pools in question, or of all resource pools of the period, in major units.
        money: String,
        /// Currency code.
        currency: String,
    },
    /// A resource pool with a rule outside its dates, without takers, or with a taker or driver that is not there.
    #[error("resource `{resource}`{rule}: {reason}; {money} {currency} are at stake")]
    Resource {
        /// Pool.
        resource: String,
        /// Comma and name of the rule, or nothing where it has no other name than the pool or the reason names it.
        rule: String,
        /// What is wrong.
        reason: Refusal,
        /// Its cost, in major units.
        money: String,
        /// Currency code.
        currency: String,
    },
}

impl CostError {
    /// One thing to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Pool(error) => error.reason.hint(),
            Self::Resources { source, .. } => source.hint(),
            Self::Resource { reason, .. } => reason.hint(),
        }
    }
}
