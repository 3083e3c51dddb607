//! Worked numbers with their sources.

use super::*;

/// REFERENCE: pools A, B; activities X, Y; percentages.
fn reference() -> Network {
    network(4, &[(0, 2, 40), (0, 3, 20), (0, 1, 40), (1, 2, 70), (1, 3, 10), (1, 0, 20)])
}

#[test]
fn the_reference_case_comes_out_to_the_cent() {
    let own = [15_000, 30_000, 0, 0];
    assert_eq!(finals(&run(&reference(), &ServiceMethod::Direct, &own)), [0, 0, 36_250, 8_750]);
    assert_eq!(finals(&run(&reference(), &step_down(&[1, 0]), &own)), [0, 0, 35_000, 10_000]);
    // 8400/23 = 365.217…, 1950/23 = 84.782…
    let flow = run(&reference(), &ServiceMethod::Reciprocal, &own);
    assert_eq!(finals(&flow), [0, 0, 36_522, 8_478]);
    assert_eq!(reciprocated(&flow), [22_826, 39_130, 36_522, 8_478]);
}

#[test]
fn the_reference_case_comes_out_to_ten_decimals() {
    // Twelve decimals, so that a gross cost which must be whole (and so may be one off) has ten right.
    let unit = 1_000_000_000_000;
    let flow = run(&reference(), &ServiceMethod::Reciprocal, &[150 * unit, 300 * unit, 0, 0]);
    assert_eq!(finals(&flow)[2..], [365_217_391_304_348, 84_782_608_695_652]);
    let ten_decimals: Vec<i64> = reciprocated(&flow)[..2].iter().map(|cost| (cost + 50) / 100).collect();
    assert_eq!(ten_decimals, [2_282_608_695_652, 3_913_043_478_261]);
    let edge = flow.edges[2];
    assert_eq!((edge.weight, edge.total), (40, 100));
    assert!((edge.amount - 91_304_347_826_087).abs() <= 1);
    assert!((edge.share() - 0.4).abs() < f64::EPSILON);
}

/// Horngren, Datar & Foster, Cost Accounting (12th ed.), ch. 15, Castleford Engineering: plant maintenance 600,000
/// (1,600 hours to information systems, 2,400 machining, 4,000 assembly), information systems 116,000 (200 computer
/// hours to maintenance, 1,600 machining, 200 assembly).
fn castleford() -> Network {
    network(4, &[(0, 1, 1_600), (0, 2, 2_400), (0, 3, 4_000), (1, 0, 200), (1, 2, 1_600), (1, 3, 200)])
}

#[test]
fn castlefords_support_departments_come_out_as_in_the_book() {
    let own = [600_000, 116_000, 0, 0];
    assert_eq!(finals(&run(&castleford(), &ServiceMethod::Direct, &own))[2..], [328_111, 387_889]);
    // Maintenance gives 20 % to information systems, which gives 10 % back: maintenance is closed first.
    assert_eq!(automatic_order(&castleford()), [0, 1]);
    let flow = run(&castleford(), &AUTOMATIC, &own);
    assert_eq!(flow.edges[0].amount, 120_000);
    assert_eq!(finals(&flow)[2..], [389_778, 326_222]);
    let flow = run(&castleford(), &ServiceMethod::Reciprocal, &own);
    assert_eq!(finals(&flow)[2..], [379_878, 336_122]);
    // 624,081.63 and 240,816.33 (0.98 a = 600,000 + 11,600): in cents, as what is sent must be whole, to the cent.
    let flow = run(&castleford(), &ServiceMethod::Reciprocal, &[60_000_000, 11_600_000, 0, 0]);
    for (found, book) in reciprocated(&flow).into_iter().zip([62_408_163, 24_081_633]) {
        assert!((found - book).abs() <= 1, "{found} {book}");
    }
}

#[test]
fn services_to_oneself_count_in_the_gross_cost_and_vanish_from_the_net() {
    // A uses half of its own service: gross 200 of an own cost of 100, all of which goes to X.
    let alone = network(2, &[(0, 0, 50), (0, 1, 50)]);
    let flow = run(&alone, &ServiceMethod::Reciprocal, &[100, 0]);
    assert_eq!(reciprocated(&flow), [200, 100]);
    assert_eq!((flow.edges[0].amount, flow.edges[1].amount), (100, 100));
    for method in [ServiceMethod::Direct, AUTOMATIC] {
        assert_eq!(reciprocated(&run(&alone, &method, &[100, 0])), [100, 100]);
    }
    // In a loop of two: A keeps 50 % in itself, so it gives B 80 % and X 20 % of what it passes on.
    let pair = [(0, 0, 50), (0, 1, 40), (0, 2, 10), (1, 0, 50), (1, 2, 50)];
    let flow = run(&network(3, &pair), &ServiceMethod::Reciprocal, &[600, 0, 0]);
    // a = 600 + a/2 + b/2, b = 0.4 a: a = 2000, b = 800.
    assert_eq!(reciprocated(&flow), [2_000, 800, 600]);
}

#[test]
fn unused_capacity_is_one_more_recipient() {
    // Kaplan & Anderson (HBR Nov 2004): 560,000 for 700,000 minutes, of which 578,600 are used.
    let minutes = [(0, 1, 392_000), (0, 2, 61_600), (0, 3, 125_000)];
    let network = with_kept(&[121_400, 0, 0, 0], &minutes);
    for method in [ServiceMethod::Direct, AUTOMATIC, ServiceMethod::Reciprocal] {
        let flow = run(&network, &method, &[560_000, 0, 0, 0]);
        assert_eq!(flow.nodes[0].unused, 97_120);
        assert_eq!(finals(&flow), [0, 313_600, 49_280, 100_000]);
    }
    // A loop that only unused capacity leaves.
    let network = with_kept(&[0, 10], &[(0, 1, 1), (1, 0, 90)]);
    let flow = run(&network, &ServiceMethod::Reciprocal, &[70, 30]);
    assert_eq!((flow.nodes[0].reciprocated, flow.nodes[1].reciprocated, flow.nodes[1].unused), (970, 1_000, 100));
}

#[test]
fn the_share_of_a_pool_that_ends_in_an_activity_is_the_books() {
    // A's 150: a = 1/(1 − .08), X gets a (.40 + .40 · .70), Y the rest.
    let plan = reference().plan(&ServiceMethod::Reciprocal).unwrap();
    let shares = plan.absorption(0).unwrap();
    let exact = [(2, 0.68 / 0.92), (3, 0.24 / 0.92)];
    for (found, (node, share)) in shares.iter().zip(exact) {
        assert_eq!((found.node, found.ending), (node, Ending::Final));
        assert!((found.share - share).abs() < 4.0 * f64::EPSILON, "{found:?}");
    }
    assert_eq!(shares.len(), 2);
    assert_eq!(plan.absorption(2).unwrap(), [Absorbed { node: 2, ending: Ending::Final, share: 1.0 }]);
    assert_eq!(plan.absorption(9).unwrap(), []);
}

#[test]
fn a_sum_that_no_float_holds_is_split_to_the_unit() {
    // A gives B and X a half each, B gives A a third and Y the rest: A's gross cost is 6/5 of its own, so X gets 3/5
    // of 4,500,000,000,000,000,003 (…001.8) and Y 2/5 (…001.2). Floats are 256 and 512 apart here.
    let loop_of_two = network(4, &[(0, 1, 1), (0, 2, 1), (1, 0, 1), (1, 3, 2)]);
    let own = 4_500_000_000_000_000_003;
    let flow = run(&loop_of_two, &ServiceMethod::Reciprocal, &[own, 0, 0, 0]);
    assert_eq!(finals(&flow)[2..], [2_700_000_000_000_000_002, 1_800_000_000_000_000_001]);
}
