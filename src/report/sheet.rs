//! Pictures of a page, drawn twice: for wide and for narrow pages, each as high as it needs.

use super::{
    chart::{Axis, Picture},
    label::{Align, Role, Text, width},
    number::{TickMoney, count},
    scale::Ticks,
    svg::Svg,
};
use crate::schema::money::Currency;

/// One shape of a picture.
pub(super) struct Sheet {
    class: &'static str,
    /// What the id of this shape's element has more.
    suffix: &'static str,
    /// Units across, a CSS pixel each where the page has room.
    pub(super) width: f64,
    /// Font size.
    pub(super) text: f64,
    /// Whether there is room for labels beside what they name.
    pub(super) wide: bool,
}

impl Sheet {
    /// Height of a line of text.
    pub(super) fn line(&self) -> f64 {
        1.25 * self.text
    }

    /// Text in the sheet's size.
    pub(super) fn write(&self, svg: &mut Svg, words: &str, role: Role, align: Align, (x, top): (f64, f64)) {
        Text::new([words], role, self.text).aligned(align, x, top).draw(svg);
    }

    /// Width of text in the sheet's size, estimated from above.
    pub(super) fn width_of(&self, words: &str, role: Role) -> f64 {
        width(words, role, self.text)
    }
}

/// Above and below 640 px.
const SHEETS: [Sheet; 2] = [
    Sheet { class: "wc-chart wc-wide", suffix: "", width: 960.0, text: 15.0, wide: true },
    Sheet { class: "wc-chart wc-narrow", suffix: "-narrow", width: 400.0, text: 14.0, wide: false },
];

/// Both shapes of a picture.
///
/// * `height`: of a shape. `draw`: draws it.
pub(super) fn sheets(
    id: &str,
    name: &str,
    description: &str,
    height: impl Fn(&Sheet) -> f64,
    draw: impl Fn(&mut Svg, &Sheet),
) -> String {
    let picture = Picture { id, name, description, alone: false };
    let shape = |sheet: &Sheet| {
        picture.element(sheet.class, sheet.suffix, (sheet.width, height(sheet)), |svg| draw(svg, sheet))
    };
    SHEETS.iter().map(shape).collect()
}

/// What an axis counts in.
#[derive(Clone, Copy)]
pub(super) enum Unit<'a> {
    Percent,
    Count,
    /// Minor units.
    Money(&'a Currency),
}

/// Values of an axis before its ticks are chosen.
pub(super) struct Range<'a> {
    pub(super) name: &'a str,
    pub(super) low: i128,
    pub(super) high: i128,
    pub(super) unit: Unit<'a>,
}

impl Range<'_> {
    /// The axis with at most `most` ticks.
    pub(super) fn axis(&self, most: usize) -> Axis {
        let ticks = Ticks::covering(self.low, self.high, most);
        let largest = ticks.low().abs().max(ticks.high().abs());
        let label = |value: i128| match self.unit {
            Unit::Percent => format!("{value} %").replace('-', "−"),
            Unit::Count if value < 0 => format!("−{}", count(value.unsigned_abs() as u64)),
            Unit::Count => count(value as u64),
            Unit::Money(currency) => TickMoney::new(ticks.step, largest, currency.exponent).label(value),
        };
        Axis { name: self.name.to_owned(), ticks: ticks.values().map(|value| (value as f64, label(value))).collect() }
    }
}
