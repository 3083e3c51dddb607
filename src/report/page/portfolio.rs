//! Part 7: the portfolio matrix, strategic roles, migration, payment grades, products as doors.

use maud::{Markup, html};

use super::{
    Report,
    suppress::hidden,
    table::{HIDDEN, figure, nothing, prose, table, untold},
    words::{of_customers, perhaps_part, spoken},
};
use crate::{
    report::{
        bars::{Bar, Bars, Tone},
        number::count,
    },
    units::MinorSum,
};

/// Groups of customers by what they earn and may earn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Portfolio {
    pub(crate) groups: Vec<Group>,
    pub(crate) roles: Vec<Role>,
    /// Customers that lose money but have a role.
    pub(crate) protected: u64,
    /// The last pair of periods.
    pub(crate) migration: Vec<Move>,
    pub(crate) periods: Option<(String, String)>,
    /// Grade: customers, probability of default.
    pub(crate) grades: Vec<(String, u64, Option<f64>)>,
    pub(crate) doors: Vec<Door>,
}

/// A portfolio group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) customers: u64,
    pub(crate) present_profit: MinorSum,
    pub(crate) growth_potential: MinorSum,
    /// Customers for whom another way to serve is known, and what they would earn under it.
    pub(crate) other_way: u64,
    pub(crate) other_profit: MinorSum,
}

/// A strategic role.
#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    pub(crate) name: &'static str,
    pub(crate) customers: u64,
    pub(crate) present_profit: MinorSum,
}

/// Customers who moved from a group to a group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Move {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) customers: u64,
    pub(crate) profit: MinorSum,
    pub(crate) next_profit: MinorSum,
}

/// A product through which customers came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Door {
    pub(crate) product: String,
    pub(crate) role: String,
    /// By the value of a customer who began with it, 1 the best; `None` where too few did.
    pub(crate) rank: Option<u64>,
    pub(crate) margin: MinorSum,
    pub(crate) customers: u64,
    pub(crate) value_each: Option<MinorSum>,
    pub(crate) second_purchases: Option<f64>,
}

/// Groups in the order of the matrix: name, present profit, future.
const MATRIX: [(&str, &str); 4] = [
    ("invest", "profitable now, and with a future"),
    ("nurture", "profitable now, with little future"),
    ("re_engineer", "not profitable now, could be"),
    ("let_go", "neither now nor later"),
];

/// Doors in the table.
const MOST_DOORS: usize = 12;

impl Report {
    pub(super) fn portfolio_part(&self) -> Markup {
        html! {
            (self.matrix())
            (self.roles())
            (self.migration())
            (self.grades())
            (self.doors())
        }
    }

    /// The groups in the order of the matrix, and whether each is hidden: it is small, or with the sum of all would tell a small one.
    pub(super) fn matrix_groups(&self) -> Vec<(Group, bool)> {
        let find = |name: &str| {
            let found = self.portfolio.groups.iter().find(|group| group.name == name);
            found.cloned().unwrap_or_else(|| Group { name: name.to_owned(), ..Group::default() })
        };
        let groups = MATRIX.map(|(name, _)| find(name));
        let hidden = hidden(&groups.each_ref().map(|group| group.customers), self.smallest_group);
        groups.into_iter().zip(hidden).collect()
    }

    fn matrix(&self) -> Markup {
        let groups = &self.portfolio.groups;
        if groups.is_empty() {
            return nothing(
                "Portfolio groups need present profit and growth potential: the run had no forecast, or did not write `customer_segment`.",
                "",
            );
        }
        let all: u64 = groups.iter().map(|group| group.customers).sum();
        html! {
            p {
                "What a customer earns now beside what it may still earn. The rows are the present, the columns the future; "
                "each of them asks for something else."
            }
            ul class="tiles" {
                @for ((name, meaning), (group, hidden)) in MATRIX.iter().zip(self.matrix_groups()) {
                    li class=(spoken(name).replace(' ', "-")) {
                        h3 { (spoken(name)) }
                        p class="quiet" { (meaning) }
                        @if !self.tells(group.customers) {
                            p { (self.customers(group.customers)) }
                        } @else if hidden {
                            p class="quiet" { "not told: with the sum of all it would tell a smaller group" }
                        } @else {
                            p class="big" { (self.customers(group.customers)) }
                            p { (of_customers(group.customers, all)) " of all" }
                            p { "earn now " strong { (self.money(group.present_profit)) } }
                            p { "may still earn " strong { (self.money(group.growth_potential)) } }
                            @if self.tells(group.other_way) && group.other_way > 0 {
                                p { (count(group.other_way)) " of them served otherwise would earn " (self.money(group.other_profit)) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn roles(&self) -> Markup {
        if self.portfolio.roles.is_empty() {
            return html! {};
        }
        let rows: Vec<Vec<String>> = self
            .portfolio
            .roles
            .iter()
            .map(|role| {
                let profit =
                    if self.tells(role.customers) { self.money(role.present_profit) } else { HIDDEN.to_owned() };
                vec![role_in_words(role.name).to_owned(), self.number(role.customers), profit]
            })
            .collect();
        html! {
            h3 { "Strategic roles" }
            p {
                "Some customers matter for more than their own profit"
                @if self.portfolio.protected > 0 {
                    "; " strong { (self.customers(self.portfolio.protected)) } " that do not earn now have such a role: do not end them by the number alone"
                }
                "."
            }
            (table("Strategic roles", &[("Role", false), ("Customers", true), ("Present profit", true)], &rows))
        }
    }

    fn migration(&self) -> Markup {
        let Some((before, after)) = &self.portfolio.periods else { return html! {} };
        let moves = &self.portfolio.migration;
        let counts: Vec<u64> = moves.iter().map(|row| row.customers).collect();
        let hidden = hidden(&counts, self.smallest_group);
        let rows: Vec<Vec<String>> = moves
            .iter()
            .zip(&hidden)
            .map(|(row, hidden)| {
                let name = format!("{} → {}", spoken(&row.from), spoken(&row.to));
                if *hidden {
                    return untold(name, 4);
                }
                vec![name, count(row.customers), self.money(row.profit), self.money(row.next_profit)]
            })
            .collect();
        let told = moves.iter().zip(&hidden).filter(|(_, hidden)| !**hidden).map(|(row, _)| row);
        let lost = told.into_iter().find(|row| row.from == "profitable" && row.to == "losing");
        html! {
            h3 { "From " (before) " to " (after) }
            @if let Some(lost) = lost.filter(|lost| lost.customers > 0) {
                p {
                    strong { (self.customers(lost.customers)) } " that were profitable lose money now: from "
                    (self.money(lost.profit)) " to " (self.money(lost.next_profit)) "."
                }
            }
            (table("Moves between groups", &[("From → to", false), ("Customers", true), ("Profit before", true), ("Profit after", true)], &rows))
        }
    }

    fn grades(&self) -> Markup {
        let grades = &self.portfolio.grades;
        if grades.is_empty() {
            return html! {};
        }
        let counts: Vec<u64> = grades.iter().map(|grade| grade.1).collect();
        let hidden = hidden(&counts, self.smallest_group);
        let all: u64 = counts.iter().sum();
        let bars: Vec<Bar> = grades
            .iter()
            .zip(&hidden)
            .map(|((grade, customers, _), hidden)| {
                if *hidden {
                    return Bar::untold(grade.clone());
                }
                let tone = if matches!(grade.as_str(), "D" | "E") { Tone::Loss } else { Tone::Gain };
                let text = format!("{} · {}", count(*customers), of_customers(*customers, all));
                Bar::of(grade.clone(), i128::from(*customers), tone, text)
            })
            .collect();
        let rows: Vec<Vec<String>> = grades
            .iter()
            .zip(&hidden)
            .map(|((grade, customers, default), hidden)| {
                let number = if *hidden { HIDDEN.to_owned() } else { count(*customers) };
                vec![grade.clone(), number, perhaps_part(*default)]
            })
            .collect();
        let picture = Bars {
            id: "grades-picture",
            name: "Customers by payment grade",
            description: &format!("{} customers with records of payment.", count(all)),
            rows: &bars,
            joined: false,
        };
        let columns = [("Grade", false), ("Customers", true), ("Probability of default", true)];
        html! {
            h3 { "How they pay" }
            (figure("Customers by payment grade, A best", picture.svg(), &table("Payment grades", &columns, &rows)))
        }
    }

    fn doors(&self) -> Markup {
        let doors = &self.portfolio.doors;
        let counts: Vec<u64> = doors.iter().map(|door| door.customers).collect();
        // Margins of all products sum to that of the company, and customers who began to all customers.
        let hidden = hidden(&counts, self.smallest_group);
        let told: Vec<&Door> = doors
            .iter()
            .zip(&hidden)
            .filter(|(door, hidden)| !**hidden && door.rank.is_some())
            .map(|(door, _)| door)
            .collect();
        if told.is_empty() {
            return html! {};
        }
        let of_role = |role: &str| doors.iter().filter(|door| door.role == role).count();
        let (opens, neither) = (of_role("opens"), of_role("neither"));
        let (first, rest) = told.split_at(told.len().min(MOST_DOORS));
        // Those that the sentence speaks of stand in the table, wherever they rank.
        let shown: Vec<&Door> = first.iter().chain(rest.iter().filter(|door| door.role == "opens")).copied().collect();
        let missing = opens - shown.iter().filter(|door| door.role == "opens").count();
        let rows: Vec<Vec<String>> = shown
            .iter()
            .map(|door| {
                vec![
                    door.product.clone(),
                    spoken(&door.role),
                    count(door.customers),
                    self.money(door.margin),
                    self.perhaps(door.value_each),
                    perhaps_part(door.second_purchases),
                ]
            })
            .collect();
        let columns = [
            ("Product", false),
            ("Role", false),
            ("Customers who began with it", true),
            ("Its margin", true),
            ("Their value, each", true),
            ("bought again within a year", true),
        ];
        html! {
            h3 { "Products as doors" }
            p {
                @match opens {
                    0 => "No product of low margin brings the customers who are worth most.",
                    1 => "One product earns little itself but brings customers who are worth much.",
                    more => { (more) " products earn little themselves but bring customers who are worth much." }
                }
                @if missing > 0 { " " (missing) " of them brought too few customers to be told." }
                @match neither {
                    0 => {}
                    1 => " One neither earns nor opens.",
                    more => { " " (more) " neither earn nor open." }
                }
                (prose(" The table has the best doors; `product_entry` has every product."))
            }
            (table("Products through which most valuable customers came", &columns, &rows))
        }
    }
}

fn role_in_words(role: &str) -> &str {
    match role {
        "high_lifetime_value" => "high lifetime value",
        "benchmark" => "benchmark: others copy it",
        "inspiration" => "inspiration: brings change",
        "cost_magnet" => "cost magnet: absorbs fixed cost",
        other => other,
    }
}
