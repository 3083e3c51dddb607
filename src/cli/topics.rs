//! What the words mean, in a few lines each, with sources: `whalecurve help TOPIC` and docs/concepts.md.

/// A concept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Topic {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// In a line.
    pub(super) title: &'static str,
    /// In a few lines of at most 80 characters.
    pub(super) text: &'static str,
    /// Where it comes from.
    pub(super) source: &'static str,
    /// What to look at next.
    pub(super) see: &'static str,
}

/// All topics, in the order in which they build on each other.
pub(super) const TOPICS: [Topic; 14] = [
    Topic {
        name: "cost-to-serve",
        title: "Cost to serve: what orders and customers cost, beyond the products they buy",
        text: "\
Orders are taken, picked and shipped, customers call, return and pay late. That
cost is real, and differs from customer to customer far more than margins do.
Activity-based costing finds it: every activity (order handling, calls, visits)
has a cost and a driver (orders, calls, kilometres), and a customer bears

    cost of the activity × its driver quantity / driver quantity of all

rounded so that the shares sum to the cost exactly, to the cent.",
        source: "Kaplan & Cooper, Cost & Effect (1998).",
        see: "`activities` and `drivers` in the config; datasets `customer_cost`, `pool_balance`; `whalecurve explain`",
    },
    Topic {
        name: "contribution-margins",
        title: "CM1, CM2, CM3, economic profit: what is left after each kind of cost",
        text: "\
    net revenue    gross sales - returns - discount
    CM1            net revenue - product cost - activities on products
    CM2            CM1 - cost of orders
    CM3            CM2 - cost of customers: after cost to serve
    economic       CM3 - what is pushed down from above the customer
    profit             - capital in receivables - bad debt - commissions
                       - acquisition cost

Cost stays at the level that causes it: what sustains a channel or the company
does not depend on any one customer, and reaches customers only by a rule that
says so.",
        source: "Horngren, Datar & Rajan, Cost Accounting (2012), customer-profitability analysis.",
        see: "datasets `customer_profit`, `customer_profit_total`",
    },
    Topic {
        name: "capacity",
        title: "Practical and unused capacity: cost that no customer has caused",
        text: "\
A call centre that could take 1,000 calls and takes 800 costs the same. Its rate
is cost / 1,000 a call; the cost of the 200 that nobody made is unused capacity,
a line of its own. Dividing by 800 would charge customers for idle time, and the
more so the fewer of them call.",
        source: "Cooper & Kaplan, Activity-Based Systems: Measuring the Costs of Resource Usage (1992).",
        see: "`capacity` of an activity; dataset `capacity_use`",
    },
    Topic {
        name: "allocation-methods",
        title: "Average, revenue, driver: why the method decides who looks profitable",
        text: "\
    average    the same for everybody: hides everything, the baseline
    revenue    in proportion to sales: what ordinary accounts do
    driver     in proportion to what was used
    traced     what the ledger itself books on the customer

Moving from averages to drivers moves cost between customers, not in all. How
much, and whose profit changes sign, is what `compare` tells.",
        source: "Kaplan & Anderson, Time-Driven Activity-Based Costing (2007).",
        see: "`method` of an activity; `whalecurve compare CONFIG --methods config,average,revenue`; docs/costing.md",
    },
    Topic {
        name: "whale-curve",
        title: "Whale curve: cumulative profit over customers, best first",
        text: "\
Sort customers by profit, add up. The curve climbs to a peak, often far above
the total, stays flat over those who break even, and falls over those who cost
more than they bring. Peak less end is what the last ones lose; the distance
between peak and total is what better terms, service or prices could win.",
        source: "Kaplan & Narayanan, Measuring and Managing Customer Profitability (2001).",
        see: "`whale_curve.svg`, dataset `whale_curve`, `concentration` (Gini, Stobachoff)",
    },
    Topic {
        name: "p-alive",
        title: "P(alive): the probability that a customer is still one",
        text: "\
Without a contract nobody says goodbye. What tells is silence, measured by the
customer's own rhythm: three months mean little for one who buys twice a year,
and much for one who bought every week. Models of the whole base learn how rates
and dropout differ, and give each customer its probability from three numbers:
repeat purchases (frequency), the time of the last one (recency), and the time
since the first (age).",
        source: "Schmittlein, Morrison & Colombo, Counting Your Customers (1987); Fader, Hardie & Lee, BG/NBD (2005).",
        see: "column `p_alive` of `customer_value`; `forecast.model`; docs/forecast.md",
    },
    Topic {
        name: "lifetime-value",
        title: "Customer lifetime value: contribution still to come, discounted",
        text: "\
    Σ over the future, discounted:
      purchases × (spend × margin rate - cost of a purchase)
      - cost of keeping the customer, while alive - expected bad debt

Of contribution, not of revenue: margins and cost to serve are the customer's
own, drawn towards its segment by how little is known of it. `expected_value` is
the closed form; `lifetime_value_…` are quantiles of simulated futures.",
        source: "Gupta & Lehmann, Managing Customers as Investments (2005); Fader, Hardie & Lee, RFM and CLV (2005).",
        see: "dataset `customer_value`; `forecast.horizon`, `forecast.paths`",
    },
    Topic {
        name: "holdout",
        title: "Holdout: how good a forecast is on what it has not seen",
        text: "\
Fit on the time up to a cut, forecast the time after it, compare. A model must
beat simple rules (last period again, mean of the past), in sum (bias), customer
by customer (MAE, CRPS), and in rank (who buys most). `forecast.model: auto`
chooses this way and says why.",
        source: "Gneiting & Raftery, Strictly Proper Scoring Rules (2007).",
        see: "`whalecurve validate CONFIG --holdout 13w`; datasets `validation_…`, `model_comparison`",
    },
    Topic {
        name: "customer-equity",
        title: "Customer equity: what the whole base is worth",
        text: "\
The sum of all lifetime values, of today's customers and, with a plan, of those
still to be won. Its interval comes from futures drawn for all customers
together: the sum of everybody's 95 % quantile would be far too wide. The bridge
says what moved it: who came, who left, retention, spend, margin, cost to serve.",
        source: "Blattberg & Deighton (1996); Rust, Lemon & Zeithaml, Return on Marketing (2004).",
        see: "datasets `customer_equity`, `segment_equity`, `equity_bridge`; docs/equity.md",
    },
    Topic {
        name: "potentials",
        title: "Base, growth, networking, learning: four ways of being worth something",
        text: "\
    base        what the relationship has earned to date
    growth      expected value, the sales pipeline, share of wallet not yet won
    networking  value of those it referred, shared without counting twice
    learning    knowledge gained with it, which fades

A customer who bought much may have little left; one who buys little may bring
others.",
        source: "Tomczak & Rudolf-Sipötz, Bestimmungsfaktoren des Kundenwertes (2006).",
        see: "`customer_value` (`…_potential`); docs/portfolio.md",
    },
    Topic {
        name: "portfolio-groups",
        title: "Invest, nurture, re-engineer, let go: present profit × future potential",
        text: "\
                       with a future         with little future
    profitable now     invest                nurture
    not profitable     re-engineer: serve    let go
                       otherwise, reprice

`present_profit` is of the last twelve months, the future is growth potential.
Who loses money but has a strategic role is marked (`protected_by_role`).",
        source: "Buttle & Maklan, Customer Relationship Management (2015), customer portfolio management.",
        see: "`portfolio_group` of `customer_segment`; docs/portfolio.md",
    },
    Topic {
        name: "strategic-roles",
        title: "Strategic roles: customers who matter for more than their own profit",
        text: "\
    high lifetime value   among the best by expected value
    benchmark             others copy it: flagged, or by its referrals
    inspiration           brings change: complaints, ideas, hard requests
    cost magnet           absorbs fixed cost that others would have to bear",
        source: "Buttle & Maklan, Customer Relationship Management (2015), strategically significant customers.",
        see: "`customer_segment`; `portfolio.roles` in the config",
    },
    Topic {
        name: "keep-or-end",
        title: "Keep or end: what ending a losing relationship really saves",
        text: "\
Only avoidable cost ends with a customer. Lost are its contribution, what it
brings others, and the fixed cost it absorbed, which others then bear. So:

    keep_value = contribution - avoidable cost + networking + learning

against a price rise, another way to serve, or the end. The advice is the one
worth most.",
        source: "Horngren, Datar & Rajan, Cost Accounting (2012), relevant costs of dropping a customer.",
        see: "dataset `decision_keep`; docs/decisions.md",
    },
    Topic {
        name: "exactness",
        title: "Exactness: why every cent is somewhere",
        text: "\
Money is whole cents (minor units). Shares are rounded by largest remainder, so
that they sum to what was shared. Whatever cannot be allocated (a driver nobody
used, an unknown customer) is a line with its reason, and

    allocated + unused + unassigned + … = the pool

for every pool, period and currency, or the run fails. The same inputs, config
and version give the same bytes, on any number of threads.",
        source: "Balinski & Young, Fair Representation (1982), Hamilton's method.",
        see: "datasets `pool_balance`, `input_balance`; `whalecurve verify`",
    },
];

impl Topic {
    /// For a terminal.
    pub(super) fn plain(&self) -> String {
        format!("{}\n\n{}\n\nSource: {}\nSee:    {}\n", self.title, self.text, self.source, self.see)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_fit_a_terminal_and_have_names_of_their_own() {
        for (number, topic) in TOPICS.iter().enumerate() {
            assert!(TOPICS[..number].iter().all(|other| other.name != topic.name), "{}", topic.name);
            for line in topic.text.lines().chain([topic.title]) {
                assert!(line.chars().count() <= 80, "{}: {line}", topic.name);
            }
        }
    }

    #[test]
    fn the_book_tells_every_topic_in_the_same_words() {
        let book = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/concepts.md")).unwrap();
        for topic in &TOPICS {
            for piece in [topic.title, topic.text, topic.source, topic.see] {
                assert!(book.contains(piece), "docs/concepts.md lacks this of {}:\n{piece}", topic.name);
            }
        }
    }
}
