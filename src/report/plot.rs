//! Lines and bands over two axes, with a legend above them.

use super::{
    chart::{Axis, draw_line},
    label::{Align, Role, fitted},
    scale::Linear,
    sheet::{Range, Sheet, sheets},
    svg::{Svg, polyline},
};

/// How a line is told from others: by its dashes as well as by its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stroke {
    First,
    Second,
    Third,
}

impl Stroke {
    fn class(self) -> &'static str {
        match self {
            Self::First => "line-first",
            Self::Second => "line-second",
            Self::Third => "line-third",
        }
    }
}

/// A line.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) stroke: Stroke,
    /// With ascending x.
    pub(super) points: Vec<(f64, f64)>,
}

/// What lies between two lines.
pub(super) struct Band<'a> {
    pub(super) name: &'a str,
    pub(super) class: &'static str,
    /// (x, low, high) with ascending x.
    pub(super) points: Vec<(f64, f64, f64)>,
}

/// The picture.
pub(super) struct Plot<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    pub(super) x: Range<'a>,
    pub(super) y: Range<'a>,
    pub(super) bands: Vec<Band<'a>>,
    pub(super) series: Vec<Series<'a>>,
}

/// Length of a line's sample in the legend.
const SAMPLE: f64 = 34.0;
const GAP: f64 = 8.0;

/// Most ticks up, and most across a wide picture.
const UP: usize = 8;
const ACROSS: usize = 11;

/// Places in one shape.
struct Places {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    across: Linear,
    up: Linear,
}

impl Plot<'_> {
    /// The picture.
    pub(super) fn svg(&self) -> String {
        let height = |sheet: &Sheet| self.top(sheet) + Self::plot_height(sheet) + 2.4 * sheet.line() + GAP;
        sheets(self.id, self.name, self.description, height, |svg, sheet| self.draw(svg, sheet))
    }

    fn plot_height(sheet: &Sheet) -> f64 {
        if sheet.wide { 340.0 } else { 260.0 }
    }

    /// Names in the legend with the class of their sample; bands first.
    fn legend(&self) -> Vec<(&str, &'static str, bool)> {
        let bands = self.bands.iter().map(|band| (band.name, band.class, true));
        bands.chain(self.series.iter().map(|series| (series.name, series.stroke.class(), false))).collect()
    }

    /// Left ends and rows of the legend's entries.
    fn legend_places(&self, sheet: &Sheet) -> Vec<(f64, usize)> {
        let (mut x, mut row) = (0.0, 0);
        let mut places = Vec::new();
        for (name, ..) in self.legend() {
            let width = SAMPLE + GAP + sheet.width_of(name, Role::Plain) + 2.0 * GAP;
            if x > 0.0 && x + width > sheet.width {
                (x, row) = (0.0, row + 1);
            }
            places.push((x, row));
            x += width;
        }
        places
    }

    /// Top of the plot: beneath the legend and the name of the upright axis.
    fn top(&self, sheet: &Sheet) -> f64 {
        let rows = self.legend_places(sheet).last().map_or(0, |(_, row)| row + 1);
        GAP + (rows as f64 + 1.0) * (sheet.line() + 4.0) + sheet.line() / 2.0
    }

    /// The axis across with as many ticks as have room.
    fn x_axis(&self, sheet: &Sheet, width: f64) -> Axis {
        let mut most = ACROSS;
        loop {
            let axis = self.x.axis(most);
            let widest = axis.ticks.iter().map(|tick| sheet.width_of(&tick.1, Role::Quiet)).fold(0.0, f64::max);
            if most <= 3 || widest * 1.4 * axis.ticks.len() as f64 <= width {
                return axis;
            }
            most -= 1;
        }
    }

    fn draw(&self, svg: &mut Svg, sheet: &Sheet) {
        let y = self.y.axis(UP);
        let labels = y.ticks.iter().map(|tick| sheet.width_of(&tick.1, Role::Quiet)).fold(0.0, f64::max);
        let (left, top) = (labels + GAP, self.top(sheet));
        let last = self.x.axis(ACROSS).ticks.last().map_or(0.0, |tick| sheet.width_of(&tick.1, Role::Quiet) / 2.0);
        let (right, bottom) = (sheet.width - last.max(GAP), top + Self::plot_height(sheet));
        let x = self.x_axis(sheet, right - left);
        let places = Places {
            left,
            right,
            top,
            bottom,
            across: Linear::new(x.range(), (left, right)),
            up: Linear::new(y.range(), (bottom, top)),
        };
        self.draw_legend(svg, sheet);
        places.draw_axes(svg, sheet, &x, &y);
        for band in &self.bands {
            let at = |x: f64, y: f64| (places.across.at(x), places.up.at(y));
            let upper = band.points.iter().map(|(x, _, high)| at(*x, *high));
            let lower = band.points.iter().rev().map(|(x, low, _)| at(*x, *low));
            svg.empty("path", &[("class", band.class), ("d", &(polyline(upper.chain(lower)) + "Z"))]);
        }
        for series in &self.series {
            let line = polyline(series.points.iter().map(|(x, y)| (places.across.at(*x), places.up.at(*y))));
            svg.empty("path", &[("class", series.stroke.class()), ("d", &line)]);
        }
    }

    fn draw_legend(&self, svg: &mut Svg, sheet: &Sheet) {
        for ((name, class, filled), (x, row)) in self.legend().into_iter().zip(self.legend_places(sheet)) {
            let top = GAP / 2.0 + row as f64 * (sheet.line() + 4.0);
            let middle = top + sheet.line() / 2.0;
            if filled {
                let (upper, lower) = (top + 3.0, top + sheet.line() - 3.0);
                let corners = [(x, upper), (x + SAMPLE, upper), (x + SAMPLE, lower), (x, lower)];
                svg.empty("path", &[("class", class), ("d", &(polyline(corners) + "Z"))]);
            } else {
                draw_line(svg, class, (x, middle), (x + SAMPLE, middle));
            }
            let words = fitted(name, Role::Plain, sheet.text, sheet.width - SAMPLE - GAP);
            sheet.write(svg, &words, Role::Plain, Align::Start, (x + SAMPLE + GAP, top));
        }
        let below = self.top(sheet) - 1.5 * sheet.line() - 4.0;
        let words = fitted(self.y.name, Role::Quiet, sheet.text, sheet.width);
        sheet.write(svg, &words, Role::Quiet, Align::Start, (0.0, below));
    }
}

impl Places {
    fn draw_axes(&self, svg: &mut Svg, sheet: &Sheet, x: &Axis, y: &Axis) {
        for (value, label) in &y.ticks {
            let at = self.up.at(*value);
            draw_line(svg, if *value == 0.0 { "axis" } else { "grid" }, (self.left, at), (self.right, at));
            sheet.write(svg, label, Role::Quiet, Align::End, (self.left - GAP, at - sheet.line() / 2.0));
        }
        draw_line(svg, "axis", (self.left, self.bottom), (self.right, self.bottom));
        draw_line(svg, "axis", (self.left, self.top), (self.left, self.bottom));
        for (value, label) in &x.ticks {
            sheet.write(svg, label, Role::Quiet, Align::Middle, (self.across.at(*value), self.bottom + 4.0));
        }
        let words = fitted(&x.name, Role::Quiet, sheet.text, sheet.width);
        let half = sheet.width_of(&words, Role::Quiet) / 2.0;
        let middle = self.left.midpoint(self.right).clamp(half, sheet.width - half);
        sheet.write(svg, &words, Role::Quiet, Align::Middle, (middle, self.bottom + 4.0 + sheet.line()));
    }
}
