//! A scenario beside the base, where costs come from tables: other costs, drivers, methods and capacities.

use insta::assert_snapshot;

use crate::{
    support::{Job, cents, days, integers},
    what_if::{job, pairs},
};

/// Two months of one activity of the activities table, and of a resource pool, with accounts.
fn with_tables(more: &str) -> Job {
    let job = Job::new(&format!(
        "
version: 1
currency: EUR
period: month
inputs:
  transactions: {{path: l.parquet, columns: {{customer_id: c, date: d, amount: a}}}}
  activities: {{path: activities.csv, columns: {{activity: a, level: l, method: m, driver: d}}}}
  pools: {{path: pools.csv, columns: {{activity: a, amount: m, period: p, account: k, capacity: q}}}}
drivers: {{lines: count, days: {{count_distinct: day}}}}
resources: {{pools: {{wages: {{to: {{desk: 1}}}}}}}}
{more}"
    ));
    job.text("activities.csv", "a,l,m,d\ndesk,order,driver,lines\n");
    job.text(
        "pools.csv",
        "a,m,p,k,q\ndesk,1.00,1970-01,4000,8\ndesk,2.00,1970-01,4100,\ndesk,3.33,1970-02,4000,\nwages,7.00,1970-02,6000,\n",
    );
    let columns = vec![("c", integers([1, 1, 2, 2])), ("d", days([1, 1, 2, 40])), ("a", cents([100, 200, 300, 400]))];
    job.parquet("l.parquet", columns);
    job
}

/// Own cost of every pool and month of the scenario.
fn own(job: &Job) -> Vec<(String, i128)> {
    let rows = job.texts("pool_balance", "pool").into_iter().zip(job.texts("pool_balance", "period"));
    let own = rows.zip(job.decimals("pool_balance", "own")).zip(job.texts("pool_balance", "scenario"));
    own.filter(|(_, world)| world == "what_if")
        .map(|(((pool, period), own), _)| (format!("{pool} {period}"), own))
        .collect()
}

#[test]
fn a_cost_is_changed_by_total_by_factor_or_by_period_and_its_periods_and_accounts_sum_to_it() {
    let costs = |more: &str| {
        let job = with_tables(&format!("overrides: {{activities: {{desk: {{cost: {more}}}}}}}\n"));
        job.run(&[]);
        let (desk, wages): (Vec<_>, Vec<_>) = own(&job).into_iter().partition(|row| row.0.starts_with("desk"));
        assert_eq!(wages.iter().map(|row| row.1).sum::<i128>(), 700);
        // What accounts bring in is what the pools cost, in both worlds.
        let stages = job.texts("trace", "from_stage").into_iter().zip(job.decimals("trace", "amount"));
        let worlds = stages.zip(job.texts("trace", "scenario"));
        let accounts = worlds.filter(|((stage, _), world)| stage == "account" && world == "what_if");
        let brought: i128 = accounts.map(|((_, amount), _)| amount).sum();
        assert_eq!(brought, desk.iter().map(|row| row.1).sum::<i128>() + 700);
        desk.into_iter().map(|row| row.1).collect::<Vec<_>>()
    };
    // 3.00 and 3.33; 10.00 is 4.739… and 5.260…
    assert_eq!(costs("10.00"), [474, 526]);
    assert_eq!(costs("{factor: 1.1}"), [330, 366]);
    assert_eq!(costs("{factor: 0}"), [0, 0]);
    assert_eq!(costs("{periods: {1970-02: 5.00}}"), [300, 500]);
    assert_eq!(costs("{periods: {1970-01: -0.50, 1970-02: 5.00}}"), [-50, 500]);
}

#[test]
fn an_activity_of_the_table_takes_another_driver_method_or_capacity() {
    let scene = |more: &str| {
        let job = with_tables("");
        job.run(&["--set", more]);
        job
    };
    let driver = scene("activities.desk.driver=days");
    let shown = |job: &Job| job.optional_texts("pool_balance", "driver").pop().flatten();
    assert_eq!(shown(&driver), Some("days".to_owned()));
    // In January customer 1 has two lines on one day, customer 2 one: 2 : 1 by lines, 1 : 1 by days, of 8.
    assert_eq!(job_costs(&driver), [[75, 38, 1_033], [37, 38, 1_033]]);
    let time = scene("activities.desk.time=2*lines");
    assert_eq!(job_costs(&time)[1], [150, 75, 1_033]);
    // The capacity of the table's pool, 8, goes with the scenario's own: 4 in a month.
    let capacity = scene("activities.desk.capacity=4");
    let worlds = capacity.texts("capacity_use", "scenario").into_iter();
    let found: Vec<(String, i128)> = worlds.zip(capacity.decimals("capacity_use", "capacity")).collect();
    let of = |world: &str, units: i128| (world.to_owned(), units * 1_000_000);
    assert_eq!(found, [of("base", 8), of("what_if", 4), of("what_if", 4)]);
    // A method that takes no capacity leaves that of the table's pool behind.
    let rate = scene("activities.desk={method: standard_rate, driver: lines, rate: 0.5}");
    assert_eq!(job_costs(&rate)[1], [100, 50, 50]);
    // So does any other method: it is in the unit of the one before it. And it is taken out by name.
    let revenue = scene("activities.desk={method: revenue}");
    assert_eq!(revenue.texts("capacity_use", "scenario"), ["base"]);
    assert_eq!(job_costs(&revenue)[1], [150, 150, 1_033]);
    let none = scene("activities.desk.capacity=null");
    assert_eq!(none.texts("capacity_use", "scenario"), ["base"]);
    assert_eq!(job_costs(&none)[1], [200, 100, 1_033]);
}

/// Cost of each cell in the base and in the scenario.
fn job_costs(job: &Job) -> [Vec<i128>; 2] {
    ["base", "what_if"].map(|world| {
        let rows = job.texts("customer_cost", "scenario").into_iter().zip(job.decimals("customer_cost", "amount"));
        rows.filter(|(name, _)| name == world).map(|(_, amount)| amount).collect()
    })
}

#[test]
fn another_method_takes_no_key_of_the_one_before_it() {
    let job = job("overrides: {activities: {handling: {method: average}}}\n");
    job.run(&[]);
    assert_eq!(job_costs(&job), [[200, 50, 200, 50], [200, 50, 200, 50]]);
    assert_eq!(job.texts("pool_balance", "method"), ["driver", "average", "average", "average"]);
    let capacity = self::job("overrides: {activities: {upkeep: {method: traced}}}\n");
    let config = std::fs::read_to_string(capacity.path("whalecurve.yaml")).unwrap();
    let with_capacity = config.replace("driver: lines, cost", "driver: lines, capacity: 8, over_use: rescale, cost");
    let scene = "overrides: {activities: {handling: {method: percent, shares: {north: 50}}}}\n";
    capacity.text(
        "whalecurve.yaml",
        &with_capacity.replace("overrides: {activities: {upkeep: {method: traced}}}\n", scene),
    );
    capacity.run(&[]);
    assert_eq!(capacity.texts("capacity_use", "scenario"), ["base"]);
    assert_eq!(job_costs(&capacity), [[100, 50, 100, 50], [200, 50, 0, 50]]);
    // Lines that a capacity is told in are no revenue.
    capacity.run(&["--set", "activities.handling={method: revenue}"]);
    assert_eq!(capacity.texts("capacity_use", "scenario"), ["base"]);
}

/// Lines are 2 and 2, days 1 and 2; segments north and south; hr costs 3.00 and serves both activities and spare alike.
#[test]
fn a_mapping_of_an_activity_is_replaced_as_a_whole_and_a_path_changes_one_name_of_it() {
    let job = job("resources: {pools: {hr: {to: {handling: 1, upkeep: 1, spare: 1}, cost: 3.00}}}\n");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let config = config.replace("driver: lines, cost: 4.00", "driver: {lines: 1, days: 1}, cost: 4.00").replace(
        "  upkeep:",
        "  spare: {level: channel, method: average, cost: 1.00}\n  shared: {level: customer, method: percent, shares: {north: 60, south: 40}, cost: 1.00}\n  upkeep:",
    );
    job.text("whalecurve.yaml", &config);
    let of_world = |sets: &[&str]| {
        let more: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        job.run(&more);
        let (pools, worlds) = (job.texts("pool_balance", "pool"), job.texts("pool_balance", "scenario"));
        let received = job.decimals("pool_balance", "received");
        let allocated = job.decimals("pool_balance", "allocated");
        let quantity = job.decimals("pool_balance", "driver_quantity");
        move |pool: &str| {
            let at = (0..pools.len()).find(|row| pools[*row] == pool && worlds[*row] == "what_if").unwrap();
            (received[at], allocated[at], quantity[at])
        }
    };
    let drivers = of_world(&["activities.handling.driver={days: 3}", "activities.shared.shares={north: 100}"]);
    assert_eq!(drivers("handling").2, 9_000_000, "three times the days alone");
    assert_eq!(drivers("shared").1, 100);
    let one = of_world(&["activities.handling.driver.days=3", "activities.shared.shares.south=30"]);
    assert_eq!(one("handling").2, 13_000_000, "the lines once and the days three times");
    assert_eq!(one("shared").1, 90);
    let takers = of_world(&["resources.pools.hr.to={handling: 1, upkeep: 1}"]);
    assert_eq!((takers("handling").0, takers("upkeep").0), (150, 150));
    // Another method keeps nothing, whichever is said first.
    let method = of_world(&["activities.handling.driver.days=3", "activities.handling.method=driver"]);
    assert_eq!(method("handling").2, 9_000_000);
}

#[test]
fn a_factor_that_is_none_is_told_with_its_path() {
    let done = job("").try_run(&["--set", "prices=-1"]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(told.contains("`prices` is `-1`, expected a number from 0 to"), "{told}");
}

#[test]
fn a_key_without_a_value_is_taken_out() {
    let job = job("");
    let config = std::fs::read_to_string(job.path("whalecurve.yaml")).unwrap();
    let config = config.replace("driver: lines, cost", "driver: lines, capacity: 8, unused_to: upkeep, cost");
    job.text("whalecurve.yaml", &config);
    job.run(&["--set", "activities.handling.unused_to=null"]);
    assert_eq!(
        pairs(&job, "pool_balance", "unused"),
        ["base", "base", "what_if", "what_if"].map(str::to_owned).into_iter().zip([0, 0, 200, 0]).collect::<Vec<_>>()
    );
    assert_eq!(job.decimals("pool_balance", "sent"), [200, 0, 0, 0]);
}

/// January is traced 30.00 of a pool of 40.00 where there is one; February 20.00 and 5.00 of nobody known.
#[test]
fn what_was_traced_is_a_cost_like_any_other_once_it_is_traced_no_more() {
    let own = |pools: Option<&str>, setting: &str, set: &str| {
        let table = "  pools: {path: p.csv, columns: {activity: a, amount: m, period: p}}\n";
        let job = Job::new(&format!(
            "
version: 1
currency: EUR
period: month
inputs:
  transactions: {{path: l.parquet, columns: {{customer_id: c, date: d, amount: a}}}}
  traced: {{path: t.csv, columns: {{customer_id: c, activity: a, amount: m, period: p}}}}
{}activities:
  freight: {{level: order, method: traced{setting}}}
",
            pools.map_or("", |_| table)
        ));
        job.parquet(
            "l.parquet",
            vec![("c", integers([1, 2, 1])), ("d", days([1, 2, 40])), ("a", cents([100, 200, 300]))],
        );
        job.text("t.csv", "c,a,m,p\n1,freight,30.00,1970-01\n2,freight,20.00,1970-02\n9,freight,5.00,1970-02\n");
        job.text("p.csv", &format!("a,m,p\n{}", pools.unwrap_or_default()));
        job.run(&["--set", set]);
        assert_eq!(job.sum("pool_balance", "residual"), 0);
        self::own(&job)
    };
    let of =
        |january, february| vec![("freight 1970-01".to_owned(), january), ("freight 1970-02".to_owned(), february)];
    let average = "activities.freight.method=average";
    assert_eq!(own(Some("freight,40.00,1970-01\n"), "", average), of(4_000, 2_500));
    assert_eq!(own(Some(""), "", average), of(3_000, 2_500));
    assert_eq!(own(None, "", average), of(3_000, 2_500));
    assert_eq!(own(None, ", cost: 100.00", average), [("freight all".to_owned(), 10_000)]);
    // A total is that of all periods, also of those that have no pool.
    assert_eq!(own(Some("freight,40.00,1970-01\n"), "", "activities.freight.cost=130.00"), of(8_000, 5_000));
}

#[test]
fn another_capacity_of_a_resource_pool_replaces_that_of_the_pools_table() {
    let job = with_tables("");
    job.text("pools.csv", "a,m,p,k,q\ndesk,1.00,1970-01,4000,\nwages,8.00,1970-02,6000,4\nwages,8.00,1970-02,6100,4\n");
    job.run(&["--set", "resources.pools.wages.capacity=2"]);
    assert_eq!(job.texts("capacity_use", "scenario"), ["base", "what_if"]);
    // Of 16.00 three quarters are unused where one of four is used, and half where it is one of two.
    assert_eq!(job.decimals("capacity_use", "unused_cost"), [1_200, 800]);
    job.run(&["--set", "resources.pools.wages.capacity=null"]);
    assert_eq!(job.texts("capacity_use", "scenario"), ["base"]);
}

#[test]
fn changes_that_cannot_be_are_told() {
    let failure = |more: &str| with_tables(&format!("overrides: {{{more}}}\n")).failure();
    let told = [
        "activities: {dsk: {cost: 1}}",
        "activities: {desk: {level: order, method: average, cost: 1}}",
        "activities: {desk: {drivr: days}}",
        "activities: {desk: {cost: {factr: 2}}}",
        "activities: {desk: {cost: {periods: {1970-Q1: 2}}}}",
        "activities: {desk: {cost: {factor: 2, periods: {}}}}",
        "activities: {desk: {method: standard_rate, driver: lines, rate: 1, capacity: 4}}",
        "resources: {pools: {wages: {cost: 1e3}}}",
    ];
    let told: Vec<String> = told.into_iter().map(failure).collect();
    assert_snapshot!(told.join("\n"), @r"
    exit code 3
    error: overrides: no activity is named `dsk`; known: desk
    exit code 3
    error: overrides: activity `desk` stands in the activities table: leave out its level
    exit code 2
    whalecurve.yaml:11:33: unknown key `drivr` in `activities.desk`
      hint: did you mean `driver`? known keys: method, cost, capacity, over_use, driver, time, of, shares, segments, each, by, rate, fixed, budgeted
    exit code 2
    whalecurve.yaml:11:40: unknown key `factr` in `activities.desk.cost`
      hint: did you mean `factor`? known keys: factor, periods
    exit code 2
    whalecurve.yaml:11:50: `activities.desk.cost.periods.1970-Q1` is no period of this run
      hint: its periods are written like 1997-03
    exit code 2
    whalecurve.yaml:11:33: `activities.desk.cost` needs exactly one of factor, periods
      hint: a number alone is the total of all periods
    exit code 3
    error: overrides: activity `desk`: a capacity needs a driver, time or dual rate
    exit code 2
    whalecurve.yaml:11:47: `resources.pools.wages.cost` is `1e3`, expected an amount of money: digits, and a point where a fraction follows
    ");
    // Costs of both signs that cancel do not say how to divide another total.
    let job = with_tables("overrides: {activities: {desk: {cost: 5.00}}}\n");
    job.text("pools.csv", "a,m,p,k,q\ndesk,1.00,1970-01,4000,\ndesk,-1.00,1970-02,4000,\n");
    assert_snapshot!(job.failure(), @r"
    exit code 3
    error: overrides: the 2 periods of `desk` cost 0.00 EUR together, which does not say how to divide 5.00: give its cost by period, as in cost: {periods: {1970-01: 5.00}}
    ");
    assert_snapshot!(self::job("overrides: {activities: {handlng: {cost: 5.00}}}\n").failure(), @r"
    exit code 2
    whalecurve.yaml:13:26: `activities.handlng` is no activity of the run; a new one needs a level
      hint: did you mean `handling`? known: handling, upkeep
    ");
}

/// Customer 3 is won for 9.00 and has no line; calls and visits of the table make cells of their own.
fn with_quantities(driver: &str, more: &str) -> Job {
    let job = Job::new(&format!(
        "version: 1\ncurrency: EUR\nperiod: month\nas_of: 1970-04-30\ninputs:\n  transactions: {{path: l.parquet, columns: \
         {{customer_id: c, date: d, amount: a}}}}\n  customers: {{path: cu.csv, columns: {{customer_id: c, acquisition_cost: \
         k}}}}\n  driver_quantities: {{path: q.csv, columns: {{customer_id: c, driver: r, quantity: q, period: p}}}}\n\
         activities: {{desk: {{level: customer, method: driver, driver: {driver}, cost: 30.00}}}}\n{more}"
    ));
    job.text("cu.csv", "c,k\n1,\n2,\n3,9.00\n");
    job.text(
        "q.csv",
        "c,r,q,p\n1,calls,1,1970-03\n2,calls,5,1970-01\n3,calls,2,1970-02\n1,visits,1,1970-01\n2,visits,1,1970-04\n",
    );
    job.parquet(
        "l.parquet",
        vec![("c", integers([1, 1, 1, 2])), ("d", days([4, 35, 64, 68])), ("a", cents([10_000, 5_000, 7_000, 8_000]))],
    );
    job
}

/// Everything in `customer_profit` and `segment_migration` of one world.
fn world_of(job: &Job, world: &str) -> Vec<String> {
    let profit: Vec<Vec<String>> = [
        job.texts("customer_profit", "scenario"),
        job.whole_numbers("customer_profit", "customer_id").iter().map(|id| format!("{id:?}")).collect(),
        job.texts("customer_profit", "period"),
        job.decimals("customer_profit", "acquisition_cost").iter().map(i128::to_string).collect(),
        job.decimals("customer_profit", "economic_profit").iter().map(i128::to_string).collect(),
    ]
    .into();
    let moves: Vec<Vec<String>> = ["scenario", "segmentation", "period", "from", "to"]
        .into_iter()
        .map(|column| job.texts("segment_migration", column))
        .chain([job.whole_numbers("segment_migration", "customers").iter().map(|n| format!("{n:?}")).collect()])
        .collect();
    let rows = |columns: &[Vec<String>]| -> Vec<String> {
        let own = (0..columns[0].len()).filter(|row| columns[0][*row] == world);
        own.map(|row| columns[1..].iter().map(|column| column[row].as_str()).collect::<Vec<_>>().join(" ")).collect()
    };
    [rows(&profit), rows(&moves)].concat()
}

#[test]
fn each_world_has_the_cells_of_its_own_drivers_and_is_what_it_is_alone() {
    let more = "suppress: {smallest_group: 1}\n";
    let alone = |driver: &str| {
        let job = with_quantities(driver, more);
        job.run(&[]);
        world_of(&job, "base")
    };
    let (calls, visits) = (alone("calls"), alone("visits"));
    assert!(calls != visits && calls.iter().any(|row| row.starts_with("Some(3) 1970-02 900 ")), "{calls:?}");
    for (driver, other, base, scene) in [("calls", "visits", &calls, &visits), ("visits", "calls", &visits, &calls)] {
        let job = with_quantities(driver, more);
        job.run(&["--set", &format!("activities.desk.driver={other}")]);
        assert_eq!((&world_of(&job, "base"), &world_of(&job, "what_if")), (base, scene), "{driver}");
    }
}
