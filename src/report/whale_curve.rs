//! The whale curve: cumulative profit over customers, most profitable first.
//!
//! Source: Kaplan & Narayanan, Measuring and managing customer profitability (2001).

use super::{
    chart::{Axis, Format, Frame, Picture, draw_line, draw_mark},
    curve::Curve,
    label::{Align, Area, Board, Role, Text},
    number::{TickMoney, code, count, whole_percent},
    scale::{Ticks, most_ticks},
    svg::{Svg, polyline},
};
use crate::{schema::money::Currency, units::MinorSum};

/// All that the picture needs.
///
/// ```
/// use whalecurve::{report::whale_curve::WhaleCurvePicture, schema::money::Currency};
///
/// let usd = Currency { code: "USD".to_owned(), exponent: 2 };
/// let points = [(1, 4_185_600), (2, 8_057_600), (3, 9_212_100), (4, 9_413_300), (5, 9_078_700)];
/// let picture = WhaleCurvePicture {
///     id: "whale-curve",
///     title: "Spring Distribution",
///     points: &points,
///     peak: Some((4, 9_413_300)),
///     customers: 5,
///     losing: 1,
///     currency: &usd,
/// };
/// assert!(picture.svg().contains("peak 103.7 % at the best 80 % of customers"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WhaleCurvePicture<'a> {
    /// Id of the element, unique in its page.
    pub id: &'a str,
    /// Heading: the name of the run.
    pub title: &'a str,
    /// (customers so far, their cumulated profit in minor units), ascending; holds the end.
    pub points: &'a [(u64, MinorSum)],
    /// Customers that earn something, and their profit. `None` where it is not to be told: the picture has then no mark and no
    /// words of peak and losses.
    pub peak: Option<(u64, MinorSum)>,
    /// All customers.
    pub customers: u64,
    /// Customers with a loss. Points alone cannot tell them from customers who earn nothing.
    pub losing: u64,
    /// Currency of the run.
    pub currency: &'a Currency,
}

impl WhaleCurvePicture<'_> {
    /// The picture as one `<svg>` element, for a file or inside a page of HTML: no scripts, no references, text escaped.
    ///
    /// It fills the width of its container and follows the reader's light or dark setting. Below 640 px of page
    /// width it shows larger text.
    #[must_use]
    pub fn svg(&self) -> String {
        self.picture(true)
    }

    /// The same for a page that has the style of charts in its head.
    #[cfg(feature = "engine")]
    pub(super) fn inline(&self) -> String {
        self.picture(false)
    }

    fn picture(&self, alone: bool) -> String {
        let curve = Curve::new(self.points, self.peak, (self.customers, self.losing), self.currency);
        let name = format!("Whale curve: {}", self.title);
        let picture = Picture { id: self.id, name: &name, description: &curve.description(), alone };
        picture.svg(|svg, format| self.draw(svg, format, &curve))
    }

    fn draw(&self, svg: &mut Svg, format: &Format, curve: &Curve<'_>) {
        let frame = Frame::new(format, self.title, &self.x_axis(), &self.y_axis(format, curve));
        frame.draw_grid(svg);
        if self.customers > 0 {
            Drawing::new(format, &frame, curve).draw(svg);
        } else {
            let (x, y) = frame.plot.center();
            let words = Text::new(["no customers"], Role::Plain, format.label);
            words.aligned(Align::Middle, x, y).draw(svg);
        }
        frame.draw_axes(svg);
    }

    fn x_axis(&self) -> Axis {
        let noun = if self.customers == 1 { "customer" } else { "customers" };
        let ticks = Ticks::covering(0, 100, 6).values().map(|value| (value as f64, format!("{value} %"))).collect();
        Axis { name: format!("share of {} {noun}, most profitable first", count(self.customers)), ticks }
    }

    /// From zero, or the deepest loss, to the peak; in percent of the total where that says something.
    fn y_axis(&self, format: &Format, curve: &Curve<'_>) -> Axis {
        let most = most_ticks(Frame::plot_height(format), 1.5 * format.tick).min(8);
        let profits = || curve.points.iter().map(|point| point.1);
        let (low, high) = (profits().min().unwrap_or(0), profits().max().unwrap_or(0));
        if self.customers == 0 {
            return percent_axis(Ticks::covering(0, 100, most));
        }
        if curve.in_percent {
            let floor = (low * 100).div_euclid(curve.total);
            let ceiling = -(-high * 100).div_euclid(curve.total);
            return percent_axis(Ticks::covering(floor, ceiling, most));
        }
        let unit = if low == high { MinorSum::from(self.currency.minor_per_major()) } else { 0 };
        let ticks = Ticks::covering(low, high + unit, most);
        let money = TickMoney::new(ticks.step, ticks.low().abs().max(ticks.high().abs()), self.currency.exponent);
        Axis {
            name: format!("cumulative profit, {}", code(self.currency)),
            ticks: ticks.values().map(|value| (value as f64, money.label(value))).collect(),
        }
    }
}

fn percent_axis(ticks: Ticks) -> Axis {
    Axis {
        name: "cumulative profit, share of the total".to_owned(),
        ticks: ticks.values().map(|value| (value as f64, whole_percent(value, 100))).collect(),
    }
}

/// A whale curve in units of the picture.
struct Drawing<'a> {
    format: &'a Format,
    frame: &'a Frame,
    curve: &'a Curve<'a>,
    /// Up to the first loss; all of it where the peak is not told.
    gain: Vec<(f64, f64)>,
    /// From there to the end.
    loss: Vec<(f64, f64)>,
    peak: Option<(f64, f64)>,
    /// Height of no profit.
    zero: f64,
    /// Height of the total.
    total: f64,
}

impl<'a> Drawing<'a> {
    fn new(format: &'a Format, frame: &'a Frame, curve: &'a Curve<'a>) -> Self {
        let place = |(rank, profit): (u64, f64)| place(frame, curve, rank, profit);
        let thinned = |piece: Vec<(u64, f64)>| thin(&piece.into_iter().map(place).collect::<Vec<_>>(), format.corners);
        let [mut gain, flat, loss] = curve.pieces().map(thinned);
        gain.extend(flat.into_iter().skip(1));
        let peak = curve.peak.map(|(rank, profit)| place((rank, profit as f64)));
        let [zero, total] = [0.0, curve.total as f64].map(|profit| place((0, profit)).1);
        Self { format, frame, curve, gain, loss, peak, zero, total }
    }

    fn draw(&self, svg: &mut Svg) {
        if self.peak.is_some() {
            self.draw_area(svg, "gain-area", &self.gain);
            self.draw_area(svg, "loss-area", &self.loss);
        }
        self.frame.draw_row(svg, "axis", self.zero);
        self.frame.draw_row(svg, "total", self.total);
        if let Some((top, bottom)) = self.edge() {
            draw_line(svg, "edge", top, bottom);
        }
        draw_path(svg, "gain", &self.gain);
        draw_path(svg, "loss", &self.loss);
        self.draw_labels(svg);
    }

    fn draw_area(&self, svg: &mut Svg, class: &'static str, line: &[(f64, f64)]) {
        if let [first, .., last] = line {
            let floor = [(last.0, self.zero), (first.0, self.zero)];
            let path = polyline(line.iter().copied().chain(floor)) + "Z";
            svg.empty("path", &[("class", class), ("d", &path)]);
        }
    }

    /// The upright line where losses start.
    fn edge(&self) -> Option<((f64, f64), (f64, f64))> {
        let start = *self.loss.first().filter(|_| self.loss.len() > 1)?;
        (start.0 > self.frame.plot.left).then_some((start, (start.0, self.zero)))
    }

    /// Labels, the important first, so that the others yield.
    fn draw_labels(&self, svg: &mut Svg) {
        let fifth = self.curve.best_fifth().map(|(rank, profit)| place(self.frame, self.curve, rank, profit));
        let mut board = Board::new(self.frame.plot, &self.line(), self.marks(fifth), &self.frame.rows);
        let texts = [self.place_peak(&mut board), self.place_total(&mut board), self.place_loss(&mut board)];
        let fifth = fifth.and_then(|point| Some((point, self.place_fifth(&mut board, point)?)));
        if let Some((point, text)) = fifth {
            draw_mark(svg, "ring", point, self.format.mark);
            text.draw(svg);
        }
        if let Some(peak) = self.peak {
            draw_mark(svg, "mark", peak, 1.2 * self.format.mark);
        }
        for text in texts.into_iter().flatten() {
            text.draw(svg);
        }
    }

    fn line(&self) -> Vec<(f64, f64)> {
        self.gain.iter().chain(&self.loss).copied().collect()
    }

    /// What labels should not cover, apart from the curve.
    fn marks(&self, fifth: Option<(f64, f64)>) -> Vec<Area> {
        let plot = self.frame.plot;
        let row = |y: f64| Area { top: y - 1.0, bottom: y + 1.0, ..plot };
        let upright = self.edge().map(|((x, top), (_, bottom))| Area { top, bottom, left: x - 1.0, right: x + 1.0 });
        let dots = [self.peak, fifth].into_iter().flatten().map(|dot| Area::around(dot, self.format.mark));
        [row(self.zero), row(self.total)].into_iter().chain(upright).chain(dots).collect()
    }

    fn forms<const N: usize>(&self, words: [Vec<String>; N], role: Role) -> [Text; N] {
        words.map(|lines| Text::new(lines, role, self.format.label))
    }

    /// Beside the peak, above it where possible.
    fn place_peak(&self, board: &mut Board) -> Option<Text> {
        let (peak, words) = self.peak.zip(self.curve.peak_words())?;
        board.place_surely(&self.forms(words, Role::Strong), |area| {
            let below = if area.bottom > peak.1 { 60.0 } else { 0.0 };
            area.distance(peak) + 0.1 * (area.center().0 - peak.0).abs() + below
        })
    }

    /// In the middle of the shaded tail, or as near as can be.
    fn place_loss(&self, board: &mut Board) -> Option<Text> {
        let (start, end) = (self.loss.first().copied()?, self.loss.last().copied()?);
        let middle = start.0.midpoint(end.0);
        let height = start.1.midpoint(end.1).midpoint(self.zero);
        let role = if start.0 < end.0 { Role::Loss } else { Role::Plain };
        board.place_surely(&self.forms(self.curve.loss_words()?, role), |area| {
            let (x, y) = area.center();
            let outside = (start.0 - area.left).max(0.0) + (area.right - end.0).max(0.0);
            let beyond = if self.is_in_tail(area) { 0.0 } else { 200.0 };
            (x - middle).abs() + (y - height).abs() + 3.0 * outside + beyond
        })
    }

    /// Whether the middle of an area lies between the falling curve and the line of no profit.
    fn is_in_tail(&self, area: Area) -> bool {
        let (x, y) = area.center();
        let after = self.loss.partition_point(|point| point.0 < x).min(self.loss.len().saturating_sub(1));
        self.loss.get(after).is_some_and(|point| (point.1 < y) == (y < self.zero))
    }

    /// On the line of the total, at its start if the curve is not there.
    fn place_total(&self, board: &mut Board) -> Option<Text> {
        board.place_surely(&self.forms(self.curve.total_words(), Role::Plain), |area| {
            let gap = (area.top - self.total).max(self.total - area.bottom).max(0.0);
            4.0 * gap + 0.2 * (area.left - self.frame.plot.left)
        })
    }

    /// Beside the curve at a fifth of the customers, or nowhere.
    fn place_fifth(&self, board: &mut Board, point: (f64, f64)) -> Option<Text> {
        let forms = [Text::new([self.curve.fifth_words()?], Role::Plain, self.format.label)];
        let near = |area: Area| area.distance(point) + 0.1 * (area.center().1 - point.1).abs();
        board.place(&forms, near).filter(|text| text.area.distance(point) < 1.5 * self.format.label)
    }
}

fn draw_path(svg: &mut Svg, class: &'static str, line: &[(f64, f64)]) {
    if line.len() > 1 {
        svg.empty("path", &[("class", class), ("d", &polyline(line.iter().copied()))]);
    }
}

/// Where a point of the curve stands.
fn place(frame: &Frame, curve: &Curve<'_>, rank: u64, profit: f64) -> (f64, f64) {
    let share = 100.0 * (rank as f64 / curve.customers.max(1) as f64);
    let height = if curve.in_percent { 100.0 * (profit / curve.total as f64) } else { profit };
    (frame.x.at(share), frame.y.at(height))
}

/// At most `most + 2` of the points of a line, its ends among them, spaced evenly along its way right, up and down.
fn thin(line: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let way = |from: (f64, f64), to: (f64, f64)| (to.0 - from.0).abs() + (to.1 - from.1).abs();
    let spacing = line.windows(2).map(|pair| way(pair[0], pair[1])).sum::<f64>() / most as f64;
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (index, point) in line.iter().enumerate() {
        let far = kept.last().is_none_or(|last| way(*last, *point) >= spacing);
        if far || index + 1 == line.len() {
            kept.push(*point);
        }
    }
    kept
}
