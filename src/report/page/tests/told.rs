//! What the page's sentences and tables say, of how many customers, and what they keep to themselves.

use super::{full, profit};
use crate::report::page::Report;

/// The page of a report without tags, its spaces as written.
fn plain(report: &Report) -> String {
    let page = report.html();
    page.split('<')
        .map(|rest| rest.split_once('>').map_or(rest, |(_, text)| text))
        .collect::<String>()
        .replace('\u{a0}', " ")
}

/// An activity with a cost and what became of it, in cents: sent, allocated, unused, over-driven, under-absorbed.
fn activity(name: &str, cost: i128, became: [i128; 5]) -> profit::Activity {
    let [sent, allocated, unused, over_driven, under_absorbed] = became;
    let (name, method) = (name.to_owned(), "average".to_owned());
    profit::Activity { name, method, cost, sent, allocated, unused, over_driven, under_absorbed, ..Default::default() }
}

/// The part of the page on costs, of some activities.
fn costs(activities: Vec<profit::Activity>) -> String {
    let capacities = vec![profit::Capacity { pool: "desk".to_owned(), unused_cost: 30_000, ..Default::default() }];
    let profit = profit::Profit { activities, capacities, ..full("Shop").profit };
    plain(&Report { profit, ..full("Shop") })
}

#[test]
fn cost_that_an_activity_hands_on_counts_once_and_what_became_of_it_adds_up() {
    // Desk costs 1,000 and sends 300 to sales, which costs 600 itself: 1,600 in all, not 1,900.
    let page = costs(vec![
        activity("desk", 100_000, [30_000, 70_000, 0, 0, 0]),
        activity("sales", 90_000, [0, 90_000, 0, 0, 0]),
    ]);
    assert!(page.contains("Of 1,600 USD customers bear 1,600 USD. Nothing stayed unassigned."), "{page}");
    assert!(page.contains("CostSent onBorne by customersUnusedKept above customersUnassigned"), "{page}");
    assert!(
        page.contains(
            "Capacity that nobody used cost 300 USD. Other activities took it over: it stands in their cost."
        )
    );
    let page = costs(vec![activity("desk", 100_000, [20_000, 70_000, 10_000, 0, 0])]);
    assert!(page.contains(
        "Other activities took part of it over, which stands in their cost; no customer is charged for the rest."
    ));
    // More than the cost was charged by one, less by another; nothing was handed on.
    let page = costs(vec![
        activity("desk", 100_000, [0, 250_000, 0, -150_000, 0]),
        activity("sales", 50_000, [0, 2_000, 0, 0, 48_000]),
    ]);
    let words = "Of 1,500 USD customers bear 2,520 USD; −1,500 USD is over-driven: charged beyond the cost where more was used than \
                 the capacity; 480 USD is under-absorbed: neither charged at a standard rate nor traced. Nothing stayed unassigned.";
    assert!(page.contains(words), "{page}");
    assert!(
        page.contains("UnusedOver-drivenUnder-absorbedKept above customers") && !page.contains("Sent on"),
        "{page}"
    );
    assert!(page.contains("Capacity that nobody used cost 300 USD. No customer is charged for it."), "{page}");
    assert!(!costs(Vec::new()).contains("charged for"), "balances that were not written tell nothing");
}
