//! Laws of the page, read back from its text.

use super::{
    Report, averages::Averages, base, decisions, holdout, method, portfolio, profit, quality, result, retention, value,
    whales,
};
use crate::schema::money::Currency;

mod told;

/// A name that would run, load or break out, wherever it is not escaped.
const HOSTILE: &str = "\"><img src=x onerror=alert(1)><script>alert(2)</script><a href=\"javascript:alert(3)\">'";

fn dollars() -> Currency {
    Currency { code: "USD".to_owned(), exponent: 2 }
}

/// A report of a run that wrote nothing.
fn empty() -> Report {
    Report {
        name: "Nothing".to_owned(),
        as_of: "2024-12-31".to_owned(),
        currency: dollars(),
        smallest_group: 10,
        of_contracts: false,
        summary: None,
        risk: None,
        whales: whales::Whales::default(),
        profit: profit::Profit::default(),
        averages: None,
        base: None,
        holdout: None,
        value: None,
        portfolio: portfolio::Portfolio::default(),
        decisions: decisions::Decisions::default(),
        quality: quality::Quality::default(),
        method: method::Method::default(),
    }
}

/// Shares of a hundred that stay, by contracts that came to each renewal.
fn kept(model: &str, contracts: &[u64]) -> retention::Retention {
    let tenure = |(number, contracts): (u64, &u64)| retention::Tenure {
        number,
        contracts: *contracts,
        observed: *contracts as f64 / 150.0,
        error: 0.01,
        expected: *contracts as f64 / 160.0,
    };
    retention::Retention { model: model.to_owned(), tenures: (1..).zip(contracts).map(tenure).collect() }
}

/// A report with something in every part; `name` stands wherever a user's own name can.
#[expect(clippy::too_many_lines, reason = "one report, part by part")]
fn full(name: &str) -> Report {
    let word = || name.to_owned();
    let customers: Vec<i64> = (0..200).collect();
    let profits: Vec<i64> = customers.iter().map(|n| 9_000 - 60 * n).collect();
    let total: i128 = profits.iter().map(|profit| i128::from(*profit)).sum();
    let points = customers.iter().map(|n| {
        let best = profits[..=*n as usize].iter().map(|profit| i128::from(*profit)).sum();
        (*n as u64 + 1, best)
    });
    let sales: Vec<i64> = customers.iter().map(|n| 50_000 - 100 * n).collect();
    let cost: Vec<i64> = customers.iter().map(|n| 1_000 + 90 * n).collect();
    let known =
        |n: &i64| base::Known { frequency: *n as u64 % 30, silent: *n as f64 / 4.0, p_alive: 1.0 - *n as f64 / 200.0 };
    let segment = |segmentation: &str, name: &str, customers, profit| profit::Segment {
        segmentation: segmentation.to_owned(),
        name: name.to_owned(),
        customers,
        net_revenue: 777_700,
        cost_to_serve: Some(1_000),
        economic_profit: profit,
        expected_value: Some(profit),
        quantiles: vec![(0.05, 1), (0.95, 2)],
    };
    Report {
        name: word(),
        summary: Some(result::Summary {
            customers: 200,
            losing: Some(49),
            net_revenue: 8_000_000,
            economic_profit: total,
            peak: Some((150, total + 73_500)),
            horizon_days: Some(364),
            expected_value: Some(500_000),
            equity: Some(500_100),
            quantiles: vec![(0.05, 400_000), (0.5, 500_000), (0.95, 600_000)],
            ..result::Summary::default()
        }),
        risk: Some(result::Risk { customers: 60, net_revenue: 70_000, known: 200 }),
        whales: whales::Whales {
            points: points.collect(),
            concentration: Some(whales::Concentration { gini: Some(0.9), stobachoff: Some(0.4), carrying: 100 }),
            paretos: whales::Paretos::of(&sales, &cost),
        },
        profit: profit::Profit {
            sums: vec![("gross_sales", 8_100_000), ("net_revenue", 8_000_000), ("economic_profit", total)],
            segments: vec![
                segment("segment", name, 150, 123_400),
                segment("segment", "few", 3, 98_765_432),
                segment("segment", "more", 47, 45_600),
                segment("value_tier", "gold", 100, 123_400),
                segment("value_tier", name, 100, 23_400),
            ],
            activities: vec![profit::Activity {
                name: word(),
                layer: "cm2".to_owned(),
                method: "driver".to_owned(),
                driver: Some(word()),
                cost: 1_000,
                allocated: 900,
                unassigned: 100,
                reason: Some("no_driver".to_owned()),
                ..profit::Activity::default()
            }],
            capacities: vec![profit::Capacity { pool: word(), available: 100, used: 80, unused_cost: 20 }],
            scenario: vec![
                profit::Difference {
                    scenario: word(),
                    segmentation: "all".to_owned(),
                    customers: 200,
                    ..Default::default()
                },
                profit::Difference {
                    segmentation: "segment".to_owned(),
                    name: word(),
                    customers: 50,
                    ..Default::default()
                },
            ],
        },
        averages: Averages::of(&sales, &cost, &profits),
        base: base::Base::of(&customers.iter().map(known).collect::<Vec<_>>(), name),
        holdout: Some(holdout::Holdout {
            foretold: holdout::Foretold::Purchases,
            scores: vec![
                holdout::Score {
                    method: "mbg_nbd".to_owned(),
                    is_model: true,
                    end: "converged".to_owned(),
                    chosen: true,
                    actual: Some(100),
                    expected: Some(98.0),
                    bias: Some(-0.02),
                    crps: Some(0.4),
                    coverage: Some((0.9, 0.85)),
                    ..holdout::Score::default()
                },
                holdout::Score { method: "last_period".to_owned(), crps: Some(0.5), ..holdout::Score::default() },
            ],
            tracking: vec![(1, 10, 9.0), (2, 19, 20.5)],
            frequencies: vec![(0, 100, 0.2, 0.25), (1, 60, 0.6, 0.5), (2, 40, 1.0, 1.1)],
            transform: vec![0.1; 10],
        }),
        value: Some(value::Value {
            bands: value::bands(&profits, &dollars(), 10),
            levels: vec![0.05, 0.5, 0.95],
            fan: value::fan(&profits, &[sales.clone(), cost.clone(), profits.clone()], 10),
            equity: ["a", name]
                .map(|name| value::EquityRow {
                    segmentation: "segment".to_owned(),
                    name: name.to_owned(),
                    customers: 100,
                    equity: Some(1),
                    ..value::EquityRow::default()
                })
                .to_vec(),
            bridge: vec![("opening".to_owned(), 100), ("lost".to_owned(), -20), ("closing".to_owned(), 80)],
            bridge_from: None,
            retention: kept(name, &[100, 60, 40, 9]),
            market: vec![("(own)".to_owned(), 100, Some(0.5)), (word(), 100, Some(0.5))],
        }),
        portfolio: portfolio::Portfolio {
            groups: [("invest", 100), ("nurture", 60), ("re_engineer", 33), ("let_go", 7)]
                .map(|(name, customers)| portfolio::Group {
                    name: name.to_owned(),
                    customers,
                    present_profit: 5,
                    growth_potential: 7_654_321,
                    ..portfolio::Group::default()
                })
                .to_vec(),
            roles: vec![portfolio::Role { name: "benchmark", customers: 12, present_profit: 3 }],
            protected: 11,
            migration: vec![portfolio::Move {
                from: "profitable".to_owned(),
                to: "losing".to_owned(),
                customers: 20,
                profit: 5,
                next_profit: -5,
            }],
            periods: Some(("2023".to_owned(), "2024".to_owned())),
            grades: vec![("A".to_owned(), 180, Some(0.01)), ("E".to_owned(), 20, Some(0.4))],
            doors: vec![portfolio::Door {
                product: word(),
                role: "opens".to_owned(),
                rank: Some(1),
                customers: 30,
                ..Default::default()
            }],
        },
        decisions: decisions::Decisions {
            invest: Some(decisions::Invest {
                customers: 40,
                spent: 100,
                gain: 300,
                budget: Some(100),
                gap: Some(0),
                actions: vec![(word(), 40, 100, 300)],
                curve: vec![(50, 200), (100, 300), (150, 350)],
                ..decisions::Invest::default()
            }),
            keep: vec![decisions::Advice { what: "keep".to_owned(), customers: 49, ..Default::default() }],
            prospects: vec![decisions::Prospects { decision: "accept".to_owned(), number: 12, ..Default::default() }],
        },
        quality: quality::Quality {
            tables: vec![quality::Input { table: word(), rules: vec![(word(), 3, 4)], ..quality::Input::default() }],
            notes: vec![word()],
        },
        method: method::Method {
            settings: vec![(word(), word())],
            fits: vec![method::Fit { model: word(), parameters: vec![(word(), 1.0, None)], ..method::Fit::default() }],
            inputs: vec![(word(), word(), 1, word())],
            ..method::Method::default()
        },
        ..empty()
    }
}

/// Tags of the page, without what stands between them.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
}

#[test]
fn no_name_runs_loads_or_leads_anywhere() {
    let page = full(HOSTILE).html();
    assert!(page.contains("&lt;script&gt;"), "the name is told, escaped");
    for tag in tags(&page) {
        let element = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap_or_default();
        assert!(!["script", "img", "iframe", "object", "embed", "link", "form", "base"].contains(&element), "{tag}");
        // What stands between quotes is a value: names of attributes are what is left.
        let names: String = tag.split('"').step_by(2).collect();
        assert!(!names.contains(" on") && !names.contains("src="), "{tag}");
        let href = tag.split("href=\"").nth(1);
        assert!(href.is_none_or(|href| href.starts_with('#')), "{tag}");
    }
    assert!(page.contains("default-src 'none'"));
    let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!elsewhere.contains("://"), "nothing refers to another place");
    assert!(!page.contains("url(h") && !page.contains("@import"));
}

#[test]
fn a_run_that_wrote_nothing_has_a_report_that_says_so_in_every_part() {
    let page = empty().html();
    assert_eq!(page.matches("<section").count(), 10);
    assert!(page.matches("class=\"nothing\"").count() >= 6);
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn every_picture_has_a_name_a_description_and_its_numbers() {
    let page = full("Shop").html();
    let pictures = page.matches("role=\"img\"").count();
    // Two shapes of each but the whale curve, which has both in one.
    assert!(pictures > 20, "{pictures}");
    assert_eq!(page.matches("<title id=").count(), pictures);
    assert_eq!(page.matches("<desc id=").count(), pictures);
    assert_eq!(page.matches("<figure>").count(), page.matches("<details>").count());
    assert_eq!(page.matches("<figure>").count() * 2 - 1, pictures);
    assert!(!page.contains("</title><desc id=\"\""));
}

#[test]
fn how_long_customers_stay_is_told_as_far_as_enough_were_seen() {
    let page = full("Shop").html();
    let table = page.split("How long do customers stay?").nth(1).unwrap().split("</details>").next().unwrap();
    assert!(table.contains("66.7\u{a0}%") && table.contains("26.7\u{a0}%") && table.contains("number 3"), "{table}");
    assert!(!table.contains("6.0\u{a0}%") && !table.contains("number 4"), "nine contracts are too few");
    let few = |contracts: &[u64]| {
        let value = full("Shop").value.map(|value| value::Value { retention: kept("", contracts), ..value });
        Report { value, ..full("Shop") }.html().contains("How long do customers stay?")
    };
    assert!(few(&[20, 10]) && !few(&[20, 9]) && !few(&[20]) && !few(&[]));
}

#[test]
fn ids_are_unique_and_all_that_refer_to_one_find_it() {
    let page = full("Shop").html();
    let of = |name: &str| -> Vec<String> {
        page.split(&format!(" {name}=\"")).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let ids = of("id");
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), ids.len());
    for referred in of("aria-labelledby").iter().flat_map(|list| list.split(' ')) {
        assert!(ids.iter().any(|id| id == referred), "{referred}");
    }
    for anchor in of("href") {
        assert!(ids.iter().any(|id| format!("#{id}") == anchor), "{anchor}");
    }
}

#[test]
fn money_of_a_few_customers_is_not_told_nor_what_would_tell_it() {
    let page = full("Shop").html();
    assert!(!page.contains("987,654"), "of the segment with three customers");
    assert!(page.contains("few") && page.contains("1,234"), "its name stands there, and the others' money");
    assert!(!page.contains("456\u{a0}USD"), "of the next smallest, which with the total would tell it");
    // Portfolio: 7 customers to let go; the growth of the next smallest group stays untold, of the others it is told.
    assert_eq!(page.matches("may still earn <strong>").count(), 2);
    let all = Report { smallest_group: 1, ..full("Shop") }.html();
    assert!(all.contains("987,654") && all.contains("456\u{a0}USD"));
    assert_eq!(all.matches("may still earn <strong>").count(), 4);
}

#[test]
fn a_product_of_a_few_customers_is_not_told_nor_the_next_which_would_tell_it() {
    let door = |product: &str, customers| portfolio::Door {
        product: product.to_owned(),
        role: "opens".to_owned(),
        rank: Some(1),
        customers,
        ..Default::default()
    };
    let doors = vec![door("zqninety", 90), door("zqtwenty", 20), door("zqthree", 3)];
    let portfolio = portfolio::Portfolio { doors, ..full("Shop").portfolio };
    let page = Report { portfolio: portfolio.clone(), ..full("Shop") }.html();
    assert!(page.contains("zqninety") && !page.contains("zqtwenty") && !page.contains("zqthree"));
    let all = Report { portfolio, smallest_group: 1, ..full("Shop") }.html();
    assert!(all.contains("zqtwenty") && all.contains("zqthree"));
}

#[test]
fn the_same_report_has_the_same_bytes_and_is_small() {
    let (one, other) = (full("Shop").html(), full("Shop").html());
    assert_eq!(one, other);
    assert!(one.len() < 1 << 20, "{} bytes", one.len());
}
