//! What the page's sentences and tables say, of how many customers, and what they keep to themselves.

use super::{decisions, full, portfolio, profit, result};
use crate::report::page::Report;

/// The page of a report without tags, its spaces as written.
fn plain(report: &Report) -> String {
    let page = report.html();
    page.split('<')
        .map(|rest| rest.split_once('>').map_or(rest, |(_, text)| text))
        .collect::<String>()
        .replace('\u{a0}', " ")
}

/// The report with so many losers and a peak at so many customers, of 200.
fn with_peak(losing: u64, peak_customers: u64) -> Report {
    let summary = full("Shop").summary.map(|all| result::Summary {
        losing: Some(losing),
        peak: all.peak.map(|(_, profit)| (peak_customers, profit)),
        ..all
    });
    Report { summary, ..full("Shop") }
}

#[test]
fn where_few_lose_or_few_earn_neither_picture_nor_sentence_tells_the_peak() {
    let told = plain(&with_peak(49, 150));
    for words in ["peak 112.1 % at the best 75 %", "49 customers (24.5 %) lose 735 USD", "The best 75 % earn 6,795 USD"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    for (losing, peak, who) in [
        (4, 196, "fewer than 10 customers lose us money."),
        (197, 3, "all but fewer than 10 customers lose us money."),
        (20, 177, "20 customers (10 %) lose us money: 735 USD in all. The best 88.5 % earn"),
    ] {
        let page = plain(&with_peak(losing, peak));
        assert!(page.contains(who), "{who}: {page}");
        let tells = losing == 20;
        assert_eq!(page.contains("peak 1"), tells, "{losing}");
        assert_eq!(page.contains("lose us money: 735 USD"), tells, "{losing}");
    }
    let page = plain(&with_peak(197, 3));
    assert!(page.contains("Customers that lose money&gt;190"), "their number tells that of the others");
}

#[test]
fn no_share_stands_beside_a_number_of_customers_that_is_not_told() {
    let report = Report {
        risk: Some(result::Risk { customers: 6, net_revenue: 70_000, known: 200 }),
        decisions: decisions::Decisions::default(),
        ..with_peak(6, 194)
    };
    let page = plain(&report);
    assert!(page.contains("fewer than 10 customers are likelier gone than alive."), "{page}");
    assert!(page.contains("fewer than 10 customers neither earn now"), "{page}");
    assert!(!page.contains("fewer than 10 customers ("), "{page}");
    // Nor is the next smallest group of the portfolio, which with the sum of all would tell the smallest.
    assert!(
        page.contains("not told: with the sum of all it would tell a smaller group") && !page.contains("33 customers")
    );
    let all = plain(&Report { smallest_group: 1, ..full("Shop") });
    assert!(all.contains("33 customers") && all.contains("7 customers"));
}

#[test]
fn those_at_risk_are_not_told_where_they_tell_the_few_others() {
    let risk = Some(result::Risk { customers: 195, net_revenue: 70_000, known: 200 });
    let page = plain(&Report { risk, ..full("Shop") });
    assert!(page.contains("all but fewer than 10 customers are likelier gone than alive."), "{page}");
}

#[test]
fn advice_on_few_customers_is_referred_to_its_part() {
    let keep = vec![decisions::Advice { what: "keep".to_owned(), customers: 4, ..Default::default() }];
    let decisions = decisions::Decisions { keep, ..decisions::Decisions::default() };
    let page = plain(&Report { decisions, ..with_peak(4, 196) });
    assert!(page.contains("Part 8 says what to do about the customers that lose money."), "{page}");
    assert!(!page.contains("that lose money, :"), "{page}");
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

#[test]
fn doors_are_counted_in_the_whole_dataset_and_those_that_open_stand_in_the_table() {
    let door = |number: u64| portfolio::Door {
        product: format!("zqdoor{number}"),
        role: match number {
            15 | 17 => "opens",
            20.. => "neither",
            _ => "earns",
        }
        .to_owned(),
        rank: (number < 18).then_some(number),
        customers: if number < 18 { 30 } else { 2 },
        ..Default::default()
    };
    let portfolio = portfolio::Portfolio { doors: (1..=40).map(door).collect(), ..full("Shop").portfolio };
    let page = plain(&Report { portfolio, ..full("Shop") });
    assert!(page.contains("2 products earn little themselves but bring"), "{page}");
    assert!(page.contains("21 neither earn nor open."), "those that are too small for the table as well: {page}");
    let shown =
        |number: u64| page.contains(&format!("zqdoor{number}earns")) || page.contains(&format!("zqdoor{number}opens"));
    assert!((1..=12).all(shown) && shown(15) && shown(17) && !shown(13) && !shown(16) && !shown(20));
}

#[test]
fn of_customers_under_contract_the_page_says_what_contracts_tell() {
    let page = plain(&full("Shop"));
    assert!(page.contains("Nobody tells us when they leave") && page.contains("likelier gone than alive"));
    let page = plain(&Report { of_contracts: true, ..full("Shop") });
    for words in [
        "60 customers (30 %) are no longer under contract, or likely not to renew; they brought",
        "A contract tells when it ends; a renewal that is open counts with its probability.",
        "Customers by their probability of being under contract",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for words in [
        "Nobody tells us",
        "likelier gone than alive",
        "of being alive",
        "since the last purchase",
        "alive by the model",
    ] {
        assert!(!page.contains(words), "{words}: {page}");
    }
}
