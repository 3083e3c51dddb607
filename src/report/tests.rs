//! Laws of the pictures, read back from the SVG itself.

use proptest::prelude::*;

use super::{
    chart::{FORMATS, VIEW},
    label::{Area, Role, width},
    whale_curve::WhaleCurvePicture,
};
use crate::{schema::money::Currency, units::MinorSum};

/// Ascent and descent of `DejaVu` Sans 2.37, in font sizes.
const ASCENT: f64 = 0.928;
const DESCENT: f64 = 0.236;

/// Thinning keeps two ends more in each of three pieces of a line, and an area has two corners more.
const MORE_CORNERS: usize = 8;

/// Data of a picture.
#[derive(Clone, Debug)]
struct Case {
    title: String,
    points: Vec<(u64, MinorSum)>,
    peak: Option<(u64, MinorSum)>,
    customers: u64,
    losing: u64,
    currency: Currency,
}

impl Case {
    /// The curve of some customers' profits.
    fn of(title: &str, mut profits: Vec<i64>) -> Self {
        profits.sort_unstable_by(|a, b| b.cmp(a));
        let losing = profits.iter().filter(|profit| **profit < 0).count() as u64;
        let mut total = 0;
        let mut point = |(index, profit): (usize, &i64)| {
            total += MinorSum::from(*profit);
            (index as u64 + 1, total)
        };
        let points: Vec<_> = profits.iter().enumerate().map(&mut point).collect();
        let earning = profits.partition_point(|profit| *profit > 0);
        let peak = Some(earning.checked_sub(1).map_or((0, 0), |last| points[last]));
        let currency = Currency { code: "USD".to_owned(), exponent: 2 };
        Self { title: title.to_owned(), customers: points.len() as u64, points, peak, losing, currency }
    }

    fn svg(&self) -> String {
        let Self { title, points, peak, customers, losing, currency } = self;
        let (peak, customers, losing) = (*peak, *customers, *losing);
        WhaleCurvePicture { id: "whale-curve", title, points, peak, customers, losing, currency }.svg()
    }
}

/// The value of an attribute inside a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let start = tag.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
    tag[start..].split('"').next().unwrap()
}

fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

/// The drawings of a picture: one for wide pages and one for narrow ones.
fn drawings(svg: &str) -> Vec<&str> {
    svg.split("<g ").skip(1).map(|rest| rest.split("</g>").next().unwrap()).collect()
}

/// Texts of a drawing with the boxes that they fill.
fn labels(drawing: &str) -> Vec<(String, Area)> {
    let read = |element: &str| {
        let (tag, rest) = element.split_once('>').unwrap();
        let text = unescaped(rest.split("</text>").next().unwrap());
        let number = |name| attribute(tag, name).parse::<f64>().unwrap();
        let (x, y, size) = (number("x"), number("y"), number("font-size"));
        let bold = ["heading", "strong"].iter().any(|role| attribute(tag, "class").starts_with(role));
        let width = width(&text, if bold { Role::Strong } else { Role::Plain }, size);
        let left = match attribute(tag, "text-anchor") {
            "start" => x,
            "middle" => x - width / 2.0,
            _ => x - width,
        };
        let area = Area { left, top: y - ASCENT * size, right: left + width, bottom: y + DESCENT * size };
        (text, area)
    };
    drawing.split("<text").skip(1).map(read).collect()
}

/// No two labels overlap, and all are inside the picture.
fn check_labels(svg: &str) -> Result<(), TestCaseError> {
    // Coordinates are rounded to a tenth.
    const ROUNDING: f64 = 0.11;
    for drawing in drawings(svg) {
        let labels = labels(drawing);
        for (index, (text, area)) in labels.iter().enumerate() {
            let view = VIEW.grown(ROUNDING);
            let inside = view.left <= area.left && area.right <= view.right;
            prop_assert!(inside && view.top <= area.top && area.bottom <= view.bottom, "{text}: {area:?}");
            for (other, occupied) in &labels[index + 1..] {
                prop_assert!(!area.grown(-ROUNDING).overlaps(*occupied), "{text} over {other}");
            }
        }
    }
    Ok(())
}

/// Every element is closed, nothing runs, nothing is loaded, and every coordinate is a plain number.
fn check_markup(svg: &str) -> Result<(), TestCaseError> {
    let mut open = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').unwrap();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        let known = ["svg", "title", "desc", "style", "g", "rect", "line", "path", "circle", "text"];
        prop_assert!(known.contains(&name), "{tag}");
        if tag.starts_with('/') {
            prop_assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        for number in ["x1", "y1", "x2", "y2", "cx", "cy", "d"].iter().filter(|name| tag.contains(&format!(" {name}=")))
        {
            let plain = |c: char| c.is_ascii_digit() || "-. MLZ".contains(c);
            prop_assert!(attribute(tag, number).chars().all(plain), "{tag}");
        }
    }
    prop_assert!(open.is_empty());
    Ok(())
}

/// All that is drawn lies in the picture, with few corners.
fn check_paths(svg: &str) -> Result<(), TestCaseError> {
    for (drawing, format) in drawings(svg).into_iter().zip(&FORMATS) {
        for tag in drawing.split("<path").skip(1) {
            let path = attribute(tag, "d").trim_end_matches('Z');
            let corners: Vec<&str> = path.split(['M', 'L']).skip(1).collect();
            prop_assert!(corners.len() <= 3 * format.corners + MORE_CORNERS, "{} corners", corners.len());
            for corner in corners {
                let (x, y) = corner.split_once(' ').unwrap();
                let point = (x.parse().unwrap(), y.parse().unwrap());
                prop_assert!(VIEW.distance(point) <= 0.0, "{point:?} is outside");
            }
        }
    }
    Ok(())
}

fn check(case: &Case) -> Result<(), TestCaseError> {
    let svg = case.svg();
    check_markup(&svg)?;
    check_paths(&svg)?;
    check_labels(&svg)
}

/// Lines of text in a drawing, joined.
fn words(drawing: &str) -> String {
    labels(drawing).into_iter().map(|(text, _)| text).collect::<Vec<_>>().join(" ")
}

/// Shapes that a customer base can have, by name.
fn shapes() -> Vec<Case> {
    let spike = (0..1_000).map(|rank| if rank < 10 { 100_000_000 } else { -909_000 }).collect();
    let whale = (0..1_000_i64).map(|rank| 1_000_000 / (rank + 5) - 2_000).collect();
    let one_loser = (0..1_000_000).map(|rank| if rank == 0 { -1 } else { 5_000 }).collect();
    vec![
        Case::of("no customers", Vec::new()),
        Case::of("one customer", vec![12_345]),
        Case::of("one customer who loses", vec![-12_345]),
        Case::of("one customer who earns nothing", vec![0]),
        Case::of("everybody earns nothing", vec![0; 50]),
        Case::of("everybody loses", (0..1_000).map(|rank| -1_000 - rank).collect()),
        Case::of("nobody loses", (0..1_000).map(|rank| 1_000 + rank).collect()),
        Case::of("a total of zero", vec![100, -100]),
        Case::of("peak of 1000 % at 1 %", spike),
        Case::of("a whale", whale),
        Case::of("one loser among a million", one_loser),
        Case::of("enormous money", vec![i64::MAX, i64::MAX, 5, i64::MIN]),
    ]
}

#[test]
fn labels_neither_overlap_nor_leave_the_picture_in_any_extreme_shape() {
    for case in shapes() {
        check(&case).unwrap_or_else(|error| panic!("{}: {error}", case.title));
    }
}

#[test]
fn peak_total_and_losses_are_labelled_in_every_shape_and_format() {
    for case in shapes().into_iter().filter(|case| case.customers > 0) {
        for drawing in drawings(&case.svg()) {
            let words = words(drawing);
            assert!(words.contains("peak") || words.contains("no customer earns a profit"), "{words}");
            assert!(words.contains("lose") && words.contains("total"), "{words}");
        }
    }
}

#[test]
fn a_known_base_shows_its_published_numbers() {
    // REFERENCE: the five customers of Spring Distribution, as in the tests of the equity stage.
    let svg = Case::of("Spring Distribution", vec![201_200, 1_154_500, 3_872_000, 4_185_600, -334_600]).svg();
    for sentence in [
        "peak 103.7 % at the best 80 % of customers",
        "1 customer (20 %) loses 3,346 USD",
        "total 100 % = 90,787 USD",
        "best 20 % earn 46 %",
        "cumulative profit, share of the total",
        "share of 5 customers, most profitable first",
    ] {
        assert!(words(drawings(&svg)[0]).contains(sentence), "{sentence}");
    }
}

#[test]
fn the_peak_is_marked_where_it_is() {
    // Two customers, +200 and −100: the peak stands at 50 % of the customers, the end at half of its height.
    let svg = Case::of("two", vec![20_000, -10_000]).svg();
    for drawing in drawings(&svg) {
        let mark = drawing.split("<circle class=\"mark\"").nth(1).unwrap();
        let axis = drawing.split("<line class=\"axis\"").nth(1).unwrap();
        let number = |tag, name| attribute(tag, name).parse::<f64>().unwrap();
        let middle = number(axis, "x1").midpoint(number(axis, "x2"));
        assert!((number(mark, "cx") - middle).abs() < 0.11);
        let total = drawing.split("<line class=\"total\"").nth(1).unwrap();
        let halfway = number(axis, "y1").midpoint(number(mark, "cy"));
        assert!((number(total, "y1") - halfway).abs() < 0.11);
    }
}

#[test]
fn a_peak_that_is_not_told_has_neither_mark_nor_words_nor_shaded_losses() {
    let told = Case::of("base", (0..50).map(|rank| 4_000 - 90 * rank).collect());
    assert!(told.svg().contains("class=\"mark\"") && told.svg().contains("class=\"loss-area\""));
    let hidden = Case { peak: None, ..told };
    let svg = hidden.svg();
    for part in ["class=\"mark\"", "peak", "lose", "loss-area\"", "class=\"edge\""] {
        assert!(!svg.split("</style>").nth(1).unwrap().contains(part), "{part}");
    }
    assert!(svg.contains("total 100 %"));
    check(&hidden).unwrap();
}

#[test]
fn the_picture_has_a_name_and_a_description_for_those_who_do_not_see_it() {
    let svg = Case::of("A & B", vec![300, -100]).svg();
    assert!(svg.contains(" role=\"img\" aria-labelledby=\"whale-curve-title whale-curve-desc\""));
    assert!(svg.contains("<title id=\"whale-curve-title\">Whale curve: A &amp; B</title>"));
    assert!(svg.contains("<desc id=\"whale-curve-desc\">Cumulative profit of 2 customers, most profitable first. "));
}

#[test]
fn a_run_name_that_is_markup_stays_text() {
    let svg = Case::of("</title></svg><script>alert('x')</script>", vec![1]).svg();
    assert!(!svg.contains("<script") && svg.matches("</svg>").count() == 1);
    assert!(svg.contains("Whale curve: &lt;/title&gt;&lt;/svg&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
}

#[test]
fn an_id_that_is_markup_becomes_a_plain_id() {
    let usd = Currency { code: "USD".to_owned(), exponent: 2 };
    let case =
        WhaleCurvePicture { id: "a\" b", title: "", points: &[], peak: None, customers: 0, losing: 0, currency: &usd };
    assert!(case.svg().contains(" id=\"a--b\""));
}

#[test]
fn the_picture_has_no_fixed_size_and_loads_nothing() {
    let svg = Case::of("run", vec![1, 2]).svg();
    let root = svg.split('>').next().unwrap();
    assert!(root.contains(" viewBox=\"0 0 960 640\"") && !root.contains(" width=") && !root.contains(" height="));
    let rest = svg.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for reference in ["http", "url(", "href", "@import", "@font-face", "<script", "onload"] {
        assert!(!rest.contains(reference), "{reference}");
    }
}

#[test]
fn thinning_a_long_curve_keeps_its_peak_and_its_end() {
    // Odd profits: nobody earns exactly nothing, so losses start at the peak.
    let case = Case::of("long", (0..10_000_i64).map(|rank| 2 * (5_000_000 / (rank + 1)) - 1_801).collect());
    let svg = case.svg();
    let drawing = drawings(&svg)[0];
    let path = |class: &str| {
        let tag = drawing.split(&format!("<path class=\"{class}\"")).nth(1).unwrap();
        attribute(tag, "d").split(['M', 'L']).skip(1).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let mark = drawing.split("<circle class=\"mark\"").nth(1).unwrap();
    let peak = format!("{} {}", attribute(mark, "cx"), attribute(mark, "cy"));
    assert_eq!((path("gain").last(), path("loss").first()), (Some(&peak), Some(&peak)));
    let total = drawing.split("<line class=\"total\"").nth(1).unwrap();
    let end = format!("{} {}", attribute(total, "x2"), attribute(total, "y2"));
    assert_eq!(path("loss").last(), Some(&end));
    assert!((50..=300).contains(&path("gain").len()), "{}", path("gain").len());
}

/// Profits of some customers, of one order of magnitude or of many.
fn profits() -> impl Strategy<Value = Vec<i64>> {
    let profit = (-1_000_000..1_000_000_i64, 0..10_u32).prop_map(|(digits, power)| digits * 10_i64.pow(power));
    let shift = prop_oneof![Just(0), Just(900_000), Just(-900_000)];
    let alike = (prop::collection::vec(-1_000_000..1_000_000_i64, 0..60), shift)
        .prop_map(|(profits, shift)| profits.into_iter().map(|profit| profit + shift).collect());
    prop_oneof![alike, prop::collection::vec(profit, 0..60)]
}

fn currency() -> impl Strategy<Value = Currency> {
    let code = prop_oneof![Just("USD".to_owned()), Just("WWWWWWWWWW".to_owned()), any::<String>()];
    (code, 0..=6_u8).prop_map(|(code, exponent)| Currency { code, exponent })
}

prop_compose! {
    fn whale()(profits in profits(), title in any::<String>(), currency in currency()) -> Case {
        Case { currency, ..Case::of(&title, profits) }
    }
}

prop_compose! {
    /// Points that are no whale curve at all.
    fn nonsense()(
        points in prop::collection::vec((0..200_u64, any::<i128>(), 0..127_u32), 0..80),
        peak in prop::option::of((0..200_u64, any::<i128>())),
        customers in prop_oneof![0..200_u64, any::<u64>()],
        losing in prop_oneof![0..200_u64, any::<u64>()],
        currency in currency(),
    ) -> Case {
        let points = points.into_iter().map(|(rank, profit, shift)| (rank, profit >> shift)).collect();
        Case { title: "nonsense".to_owned(), points, peak, customers, losing, currency }
    }
}

proptest! {
    #[test]
    fn labels_of_a_random_base_neither_overlap_nor_leave_the_picture(case in whale()) {
        check(&case)?;
    }

    #[test]
    fn points_that_are_no_whale_curve_are_drawn_without_harm(case in nonsense()) {
        check(&case)?;
    }

    #[test]
    fn equal_data_give_equal_bytes_in_whatever_order_customers_came(mut profits in profits()) {
        let svg = Case::of("run", profits.clone()).svg();
        profits.reverse();
        prop_assert_eq!(svg, Case::of("run", profits).svg());
    }
}
