//! Worked examples of Horngren, Datar & Rajan, Cost Accounting: A Managerial Emphasis (14th edition, 2012), through the
//! whole flow. The chapters' divisions, departments and products stand in the place of customers.

use crate::support::{Job, cents, days, text};

/// Two objects that used these drivers, with everything that the config says of cost.
fn job(names: [&str; 2], drivers: &[(&str, [&str; 2])], costs: &str) -> Job {
    let job = Job::new(&format!(
        "version: 1\ncurrency: USD\ninputs:\n  transactions: {{path: l.parquet, columns: {{customer_id: c, date: d, amount: \
         a}}}}\n  driver_quantities: {{path: q.csv, columns: {{customer_id: c, driver: d, quantity: q}}}}\n{costs}"
    ));
    job.parquet("l.parquet", vec![("c", text(names)), ("d", days([1, 1])), ("a", cents([0, 0]))]);
    let rows = drivers
        .iter()
        .flat_map(|(driver, used)| names.iter().zip(used).map(move |(name, used)| format!("{name},{driver},{used}\n")));
    job.text("q.csv", &format!("c,d,q\n{}", rows.collect::<String>()));
    job
}

/// Cost of both objects, in whole dollars, from the margins of all layers.
fn cost(job: &Job) -> Vec<i128> {
    let cents = |column| job.decimals("customer_profit_total", column);
    cents("order_cost").iter().zip(cents("product_activity_cost")).map(|(a, b)| (a + b + 50).div_euclid(100)).collect()
}

/// Chapter 5, Plastim Corporation: simple and complex lenses by six activities.
#[test]
fn plastim_activity_based_costs_of_two_lenses() {
    let drivers = [
        ("part_square_feet", ["30", "70"]),
        ("setup_hours", ["500", "1500"]),
        ("machine_hours", ["9000", "3750"]),
        ("shipments", ["100", "100"]),
        ("cubic_feet", ["45000", "22500"]),
        ("labour_hours", ["30000", "9750"]),
    ];
    let activity = |name: &str, level: &str, driver: &str, cost: &str| {
        format!("  {name}: {{level: {level}, layer: cm2, method: driver, driver: {driver}, cost: {cost}}}\n")
    };
    let costs = [
        activity("design", "product", "part_square_feet", "450000"),
        activity("setup", "batch", "setup_hours", "300000"),
        activity("machine_operations", "unit", "machine_hours", "637500"),
        activity("shipment", "batch", "shipments", "81000"),
        activity("distribution", "unit", "cubic_feet", "391500"),
        activity("administration", "unit", "labour_hours", "255000"),
    ];
    let job = job(["S3", "X5"], &drivers, &format!("activities:\n{}", costs.concat()));
    job.run(&[]);
    let whole: Vec<i128> = job.decimals("customer_cost", "amount").iter().map(|cents| (cents + 50) / 100).collect();
    // Activities by name: administration, design, distribution, machine operations, setup, shipment.
    assert_eq!(whole[..6], [192_453, 135_000, 261_000, 450_000, 75_000, 40_500]);
    assert_eq!(whole[6..], [62_547, 315_000, 130_500, 187_500, 225_000, 40_500]);
    assert_eq!(cost(&job), [1_153_953, 961_047]);
    let rate = job.decimals("activity_rate", "rate");
    assert_eq!(rate, [6_415_094, 4_500_000_000, 5_800_000, 50_000_000, 150_000_000, 405_000_000]);
}

/// Chapter 15, Sand Hill Company: 3,000,000 of fixed cost, 200 an hour, practical capacity 18,750 hours; budgeted 8,000 and
/// 4,000 hours, used 9,000 and 3,000.
#[test]
fn sand_hill_single_rate_dual_rate_and_practical_capacity() {
    let drivers = [("hours", ["9000", "3000"]), ("budgeted", ["8000", "4000"])];
    let of = |activities: &str| {
        let job = job(["Microcomputer", "Peripheral"], &drivers, &format!("activities:\n{activities}"));
        job.run(&[]);
        (cost(&job), job.sum("pool_balance", "unused") / 100)
    };
    let computer = "  computer: {level: order, method: driver, driver: hours, cost: 5400000}\n";
    assert_eq!(of(computer), (vec![4_050_000, 1_350_000], 0));
    let dual = "  computer: {level: order, method: dual_rate, fixed: 3000000, budgeted: budgeted, driver: hours, cost: \
                5400000}\n";
    assert_eq!(of(dual), (vec![3_800_000, 1_600_000], 0));
    // By practical capacity 160 + 200 an hour; 6,750 hours of 160 are nobody's.
    let practical = "  fixed: {level: order, method: driver, driver: hours, capacity: 18750, cost: 3000000}\n  variable: \
                     {level: order, method: driver, driver: hours, cost: 2400000}\n";
    assert_eq!(of(practical), (vec![3_240_000, 1_080_000], 1_080_000));
}

/// Chapter 15, Castleford Engineering: plant maintenance 6,300,000 and information systems 1,452,150 serve each other,
/// machining and assembly.
#[test]
fn castleford_direct_step_down_and_reciprocal() {
    let drivers = [("machining", ["1", "0"]), ("assembly", ["0", "1"])];
    let of = |method: &str| {
        let costs = format!(
            "activities:
  machining: {{level: order, method: driver, driver: machining}}
  assembly: {{level: order, method: driver, driver: assembly}}
resources:
  {method}
  pools:
    maintenance: {{cost: 6300000, to: {{systems: 1600, machining: 2400, assembly: 4000}}}}
    systems: {{cost: 1452150, to: {{maintenance: 200, machining: 1600, assembly: 200}}}}
"
        );
        let job = job(["M", "Y"], &drivers, &costs);
        job.run(&[]);
        let gross: Vec<i128> = job
            .decimals("pool_balance", "own")
            .iter()
            .zip(job.decimals("pool_balance", "received"))
            .map(|(own, received)| (own + received) / 100)
            .collect();
        (cost(&job), gross[..2].to_vec())
    };
    assert_eq!(of("method: direct"), (vec![3_653_300, 4_098_850], vec![6_300_000, 1_452_150]));
    // Maintenance gives the larger share of its service to the other: it comes first, also without an order.
    let first = (vec![4_300_800, 3_451_350], vec![6_300_000, 2_712_150]);
    assert_eq!(of("method: step_down\n  order: [maintenance, systems]"), first);
    assert_eq!(of("method: step_down"), first);
    assert_eq!(of("method: reciprocal"), (vec![4_187_025, 3_565_125], vec![6_576_750, 2_767_500]));
}

/// A department that serves itself passes on its whole cost to the others: what it gives itself changes its gross cost alone.
#[test]
fn a_department_that_serves_itself_gives_the_others_what_they_would_have_had() {
    let of = |to_itself: &str| {
        let costs = format!(
            "activities:\n  machining: {{level: order, method: driver, driver: machining}}\n  assembly: {{level: order, \
             method: driver, driver: assembly}}\nresources:\n  pools:\n    power: {{cost: 1000.00, to: {{{to_itself}machining: \
             60, assembly: 20}}}}\n"
        );
        let job = job(["M", "Y"], &[("machining", ["1", "0"]), ("assembly", ["0", "1"])], &costs);
        job.run(&[]);
        (cost(&job), job.decimals("pool_balance", "received")[0], job.decimals("pool_balance", "residual"))
    };
    assert_eq!(of(""), (vec![750, 250], 0, vec![0; 3]));
    // A fifth of 1,250.00 comes back.
    assert_eq!(of("power: 20, "), (vec![750, 250], 25_000, vec![0; 3]));
}
