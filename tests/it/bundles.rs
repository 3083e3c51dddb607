//! Several actions for one customer: what they gain together, and that the plan is the best there is.

use std::collections::BTreeMap;

use crate::{
    decisions::drivers,
    equity::{cdnow, number, rows},
    support::Job,
};

const ACTIONS: &str = "  actions:\n    path: actions.csv\n    columns: {action: action, cost: cost, value_tier: tier, frequency: \
                       frequency, margin: margin, cost_to_serve: serve, probability: probability, uncertainty: uncertainty}\n";
const TABLE: &str = "action,cost,tier,frequency,margin,serve,probability,uncertainty\nclub,1.50,,,0.02,,0.8,0.3\n\
                     letter,0.20,,0.05,,,0.5,0.4\nletter,0.10,lead,0.02,,,0.5,0.4\nweb,0.40,,,,-0.3,,0.1\n";

fn job(most: usize, budget: &str) -> Job {
    let job = cdnow(ACTIONS, &format!("decisions: {{invest: {{budget: {budget}, most_actions: {most}}}}}\n"));
    job.text("actions.csv", TABLE);
    job.run(&[]);
    job
}

#[test]
fn what_actions_gain_together_follows_from_the_columns_shown() {
    let job = job(3, "400.00");
    let of = drivers(&job);
    let found = rows(&job, "decision_invest", &["customer_id", "action", "cost", "gain", "gain_sd", "chosen"]);
    let mut last = ("", "");
    let mut together = 0;
    for row in &found {
        assert!((row[0].as_str(), row[1].as_str()) > last, "{row:?} after {last:?}");
        last = (&row[0], &row[1]);
        let [spend, margin, order, time, purchases, lifetime, _] = of[&row[0]][..] else { unreachable!() };
        let worth = |more: f64, kept: f64, cost: f64| {
            100.0 * (((margin + kept) * spend - order * cost) * purchases * more - time * cost * lifetime)
        };
        // What happens when just some of them work, and how likely that is.
        let actions: Vec<&str> = row[1].split(" + ").collect();
        let of = |action: &str| match action {
            "club" => (0.8, (1.0, 0.02, 1.0), 0.3, 150),
            "letter" => (0.5, (1.05, 0.0, 1.0), 0.4, 20),
            "letter (lead)" => (0.5, (1.02, 0.0, 1.0), 0.4, 10),
            "web" => (1.0, (1.0, 0.0, 0.7), 0.1, 40),
            other => panic!("{other}"),
        };
        let gain = |actions: &[&str]| -> f64 {
            (0..1_usize << actions.len())
                .map(|mask| {
                    let (mut likely, mut change) = (1.0, (1.0, 0.0, 1.0));
                    for (at, action) in actions.iter().enumerate() {
                        let (probability, one, ..) = of(action);
                        if mask & (1 << at) != 0 {
                            likely *= probability;
                            change = (change.0 * one.0, change.1 + one.1, change.2 * one.2);
                        } else {
                            likely *= 1.0 - probability;
                        }
                    }
                    likely * (worth(change.0, change.1, change.2) - worth(1.0, 0.0, 1.0))
                })
                .sum()
        };
        assert!((number(&row[3]) as f64 - gain(&actions)).abs() <= 0.5 + 1e-6, "{row:?} {}", gain(&actions));
        assert_eq!(number(&row[2]), actions.iter().map(|action| of(action).3).sum::<i128>(), "{row:?}");
        let letters = actions.iter().filter(|action| action.starts_with("letter")).count();
        assert!(letters <= 1 && actions.len() <= 3, "{row:?}");
        if let [a, b] = actions[..] {
            // Each one's part is the mean of what it adds first and second.
            let part = |one, other| (gain(&[one]) + gain(&[a, b]) - gain(&[other])) / 2.0 * of(one).2;
            let sd = part(a, b).hypot(part(b, a));
            assert!((number(&row[4]) as f64 - sd).abs() <= 1.0, "{row:?} {sd}");
        }
        together += usize::from(actions.len() > 1);
    }
    assert!(together > 1_000, "{together}");
}

#[test]
fn parts_of_what_is_done_together_add_up_and_more_at_a_time_never_gains_less() {
    let mut last = 0;
    for most in 1..=3 {
        let job = job(most, "400.00");
        let found = rows(&job, "decision_invest", &["customer_id", "action", "cost", "gain", "chosen"]);
        let chosen: Vec<_> = found.iter().filter(|row| row[4] == "true").collect();
        assert!(chosen.windows(2).all(|pair| pair[0][0] < pair[1][0]), "one row a customer");
        assert!(chosen.iter().all(|row| row[1].split(" + ").count() <= most));
        let sum = |at: usize| chosen.iter().map(|row| number(&row[at])).sum::<i128>();
        let names = ["action", "customers", "spent", "gain", "gap", "candidates"];
        let total = rows(&job, "decision_invest_total", &names);
        assert_eq!(total[0][..4], ["(all)", &chosen.len().to_string(), &sum(2).to_string(), &sum(3).to_string()]);
        for at in 2..4 {
            assert_eq!(total[1..].iter().map(|row| number(&row[at])).sum::<i128>(), number(&total[0][at]));
        }
        for row in &total[1..] {
            let gets = chosen.iter().filter(|chosen| chosen[1].split(" + ").any(|action| action == row[0])).count();
            let alone = found.iter().filter(|found| found[1] == row[0]).count();
            assert_eq!((&row[1], &row[5]), (&gets.to_string(), &alone.to_string()), "{row:?}");
        }
        assert!((0..=25).contains(&number(&total[0][4])) && sum(2) <= 40_000);
        assert!(sum(3) > last, "{most}: {} {last}", sum(3));
        last = sum(3);
    }
}

#[test]
fn with_money_for_all_everybody_gets_what_gains_most_together() {
    let job = job(3, "1000000.00");
    let mut most: BTreeMap<String, i128> = BTreeMap::new();
    let found = rows(&job, "decision_invest", &["customer_id", "gain", "chosen"]);
    for row in &found {
        let gain = most.entry(row[0].clone()).or_default();
        *gain = number(&row[1]).max(*gain);
    }
    let chosen: i128 = found.iter().filter(|row| row[2] == "true").map(|row| number(&row[1])).sum();
    assert_eq!(chosen, most.values().sum::<i128>());
}

#[test]
fn names_that_would_be_those_of_others_are_refused() {
    let told = |table: &str, most: usize| {
        let job = cdnow(ACTIONS, &format!("decisions: {{invest: {{budget: 400.00, most_actions: {most}}}}}\n"));
        job.text("actions.csv", &format!("{}\n{table}", TABLE.lines().next().unwrap()));
        job.failure().lines().find(|line| line.starts_with("error")).map(str::to_owned)
    };
    assert_eq!(
        told("(all),1.00,,0.05,,,,\n", 1).unwrap(),
        "error: actions: no action may be called `(all)`: decision_invest_total calls all of them so"
    );
    assert_eq!(
        told("call,1.00,,0.05,,,,\ncall + mail,1.00,,0.05,,,,\n", 2).unwrap(),
        "error: decisions.invest.most_actions: the name of an action holds ` + `, which stands between actions taken together"
    );
    let many: Vec<String> = (0..70).map(|number| format!("call {number},1.00,,0.05,,,,\n")).collect();
    assert_eq!(
        told(&many.concat(), 2).unwrap(),
        "error: decisions.invest.most_actions: the rows of actions make more than 2000 ways to take up to 2 of them"
    );
}
