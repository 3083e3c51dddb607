//! Boxes of text, and free places for them in a plot.
//!
//! The reader's font is not known here, so widths are those of the widest usual font: what does not overlap by the
//! estimate does not overlap on the screen.

use super::svg::{Svg, fixed};

/// Distance between baselines, in font sizes; also the height of a line.
const LINE: f64 = 1.25;

/// From the top of a line to its baseline, in font sizes.
const BASELINE: f64 = 0.97;

/// Advance widths of the characters from space to `~` in hundredths of the font size, rounded up.
///
/// Source: the wider of `DejaVu` Sans 2.37 and Liberation Sans 2.1 (Arial's widths). `DejaVu` is the system font of many
/// Linux desktops and wider than those of Windows, macOS and Android.
#[rustfmt::skip]
const REGULAR: [u8; 95] = [
    32, 40, 46, 84, 64, 95, 78, 28, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84,
    84, 84, 56, 102, 69, 69, 73, 77, 67, 61, 78, 76, 30, 50, 67, 56, 87, 75, 79, 67, 79, 73, 67, 61, 74, 69, 99, 69, 67,
    69, 39, 34, 39, 84, 56, 50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98, 64, 62, 64, 64, 42, 52, 40, 64, 60,
    82, 60, 60, 53, 64, 34, 64, 84,
];

/// As [`REGULAR`], for bold text.
#[rustfmt::skip]
const BOLD: [u8; 95] = [
    35, 46, 53, 84, 70, 101, 88, 31, 46, 46, 53, 84, 38, 42, 38, 37, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 40, 40, 84,
    84, 84, 61, 102, 78, 77, 74, 83, 69, 69, 82, 84, 38, 56, 78, 64, 100, 84, 85, 74, 85, 77, 72, 69, 82, 78, 111, 77,
    73, 73, 46, 37, 46, 84, 56, 50, 68, 72, 60, 72, 68, 44, 72, 72, 35, 35, 67, 35, 105, 72, 69, 72, 72, 50, 60, 48, 72,
    66, 93, 65, 66, 59, 72, 37, 72, 84,
];

/// Air around placed text.
const AIR: f64 = 6.0;

/// Price of a grid line behind text, as a distance.
const CROSSING: f64 = 20.0;

/// Distance between tried places.
const GRID: f64 = 5.0;

/// A rectangle in units of the picture; y grows downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    pub(super) fn width(self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn center(self) -> (f64, f64) {
        (self.left.midpoint(self.right), self.top.midpoint(self.bottom))
    }

    /// Larger by `by` on every side.
    pub(super) fn grown(self, by: f64) -> Self {
        Self { left: self.left - by, top: self.top - by, right: self.right + by, bottom: self.bottom + by }
    }

    /// The square around a point.
    pub(super) fn around((x, y): (f64, f64), reach: f64) -> Self {
        Self { left: x, top: y, right: x, bottom: y }.grown(reach)
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    /// Distance from a point to the nearest point of the area.
    pub(super) fn distance(self, (x, y): (f64, f64)) -> f64 {
        let (dx, dy) = (x - x.clamp(self.left, self.right), y - y.clamp(self.top, self.bottom));
        (dx * dx + dy * dy).sqrt()
    }
}

/// What a text is for; the class of its colour and weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Name of the picture.
    Heading,
    /// The one label to read first.
    Strong,
    /// A label in the plot.
    Plain,
    /// A label of losses.
    Loss,
    /// Ticks and names of axes.
    Quiet,
    /// On a light tile, whatever the page's colours.
    #[cfg(feature = "engine")]
    Ink,
    /// On a dark tile.
    #[cfg(feature = "engine")]
    Paper,
}

impl Role {
    fn class(self) -> &'static str {
        match self {
            Self::Heading => "heading",
            Self::Strong => "strong",
            Self::Plain => "plain",
            Self::Loss => "lost",
            Self::Quiet => "quiet",
            #[cfg(feature = "engine")]
            Self::Ink => "ink",
            #[cfg(feature = "engine")]
            Self::Paper => "pale",
        }
    }

    fn widths(self) -> &'static [u8; 95] {
        if matches!(self, Self::Heading | Self::Strong) { &BOLD } else { &REGULAR }
    }
}

/// Which point of a text's box stays when the real width is smaller than the estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

/// Text with its place.
#[derive(Clone, Debug)]
pub(super) struct Text {
    lines: Vec<String>,
    role: Role,
    size: f64,
    align: Align,
    /// Whether it lies over a line and needs an outline of paper.
    over: bool,
    pub(super) area: Area,
}

impl Text {
    /// Text at the origin.
    pub(super) fn new<S: Into<String>>(lines: impl IntoIterator<Item = S>, role: Role, size: f64) -> Self {
        let lines: Vec<String> = lines.into_iter().map(Into::into).collect();
        let widest = lines.iter().map(|line| width(line, role, size)).fold(0.0, f64::max);
        let area = Area { left: 0.0, top: 0.0, right: widest, bottom: lines.len() as f64 * LINE * size };
        Self { lines, role, size, align: Align::Middle, over: false, area }
    }

    /// The same text, its box's left upper corner at (`left`, `top`).
    pub(super) fn at(mut self, left: f64, top: f64) -> Self {
        self.area = moved(self.area, left, top);
        self
    }

    /// The same text with `align` of its box at `x`, the box's top at `top`.
    pub(super) fn aligned(mut self, align: Align, x: f64, top: f64) -> Self {
        self.align = align;
        let left = match align {
            Align::Start => x,
            Align::Middle => x - self.area.width() / 2.0,
            Align::End => x - self.area.width(),
        };
        self.at(left, top)
    }

    /// Writes the text; its size goes with every element, so that a picture without its style stays readable.
    pub(super) fn draw(&self, svg: &mut Svg) {
        let (x, anchor) = match self.align {
            Align::Start => (self.area.left, "start"),
            Align::Middle => (self.area.center().0, "middle"),
            Align::End => (self.area.right, "end"),
        };
        for (index, line) in self.lines.iter().enumerate() {
            let y = self.area.top + self.size * (BASELINE + LINE * index as f64);
            let class = if self.over { format!("{} over", self.role.class()) } else { self.role.class().to_owned() };
            let attributes = [
                ("class", class.as_str()),
                ("x", &fixed(x)),
                ("y", &fixed(y)),
                ("font-size", &fixed(self.size)),
                ("text-anchor", anchor),
            ];
            svg.leaf("text", &attributes, line);
        }
    }
}

/// Width of a line of text, estimated from above.
pub(super) fn width(text: &str, role: Role, size: f64) -> f64 {
    let hundredths = |character: char| match character {
        ' '..='~' => u32::from(role.widths()[character as usize - ' ' as usize]),
        '\u{a0}' => 35,
        '−' => 84,
        '…' => 100,
        '\u{a1}'..='\u{ff}' => 115,
        // A word, or a sentence, in one character.
        '\u{fdfa}'..='\u{fdfd}' => 1200,
        _ => 160,
    };
    size * f64::from(text.chars().map(hundredths).sum::<u32>()) / 100.0
}

/// `text`, cut with an ellipsis when it is wider than `room` in a role.
pub(super) fn fitted(text: &str, role: Role, size: f64, room: f64) -> String {
    let wide = |text: &str| width(text, role, size);
    if wide(text) <= room {
        return text.to_owned();
    }
    let ends = text.char_indices().map(|(end, _)| end);
    let cut = |end: usize| format!("{}…", text[..end].trim_end());
    ends.map(cut).take_while(|short| wide(short) <= room).last().unwrap_or_default()
}

fn moved(area: Area, left: f64, top: f64) -> Area {
    Area { left, top, right: left + area.width(), bottom: top + area.height() }
}

/// What the curve occupies: for every column of the plot the range of y.
struct Skyline {
    left: f64,
    columns: Vec<Option<(f64, f64)>>,
}

impl Skyline {
    const COLUMN: f64 = 4.0;

    /// * `curve`: corners with ascending x, within `room`.
    fn new(room: Area, curve: &[(f64, f64)]) -> Self {
        let columns = vec![None; (room.width() / Self::COLUMN) as usize + 1];
        let mut skyline = Self { left: room.left, columns };
        for pair in curve.windows(2) {
            skyline.insert(pair[0], pair[1]);
        }
        skyline
    }

    fn insert(&mut self, from: (f64, f64), to: (f64, f64)) {
        let slope = (to.1 - from.1) / (to.0 - from.0);
        let height = |x: f64| if to.0 > from.0 { from.1 + slope * (x - from.0) } else { to.1 };
        for index in self.span(from.0, to.0) {
            let start = self.left + index as f64 * Self::COLUMN;
            let ends = (height(start.max(from.0)), height((start + Self::COLUMN).min(to.0)));
            let (low, high) = self.columns[index].unwrap_or(ends);
            self.columns[index] = Some((low.min(ends.0).min(ends.1), high.max(ends.0).max(ends.1)));
        }
    }

    fn span(&self, left: f64, right: f64) -> std::ops::RangeInclusive<usize> {
        let column = |x: f64| (((x - self.left) / Self::COLUMN).max(0.0) as usize).min(self.columns.len() - 1);
        column(left)..=column(right)
    }

    fn touches(&self, area: Area) -> bool {
        let columns = &self.columns[self.span(area.left, area.right)];
        columns.iter().flatten().any(|(low, high)| *low < area.bottom && area.top < *high)
    }
}

/// A plot in which texts find free places.
pub(super) struct Board {
    room: Area,
    skyline: Skyline,
    /// Lines and marks, which texts avoid where they can.
    marks: Vec<Area>,
    /// Heights of grid lines, which texts cross at a price.
    rows: Vec<f64>,
    /// Placed texts, which no other text may overlap.
    taken: Vec<Area>,
}

impl Board {
    /// * `curve`: corners with ascending x. `marks`: other things that text should not cover. `rows`: grid lines.
    pub(super) fn new(room: Area, curve: &[(f64, f64)], marks: Vec<Area>, rows: &[f64]) -> Self {
        Self { room, skyline: Skyline::new(room, curve), marks, rows: rows.to_vec(), taken: Vec::new() }
    }

    /// The cheapest place for any of `forms` that covers neither text, curve nor mark; ties go to the first.
    pub(super) fn place(&mut self, forms: &[Text], cost: impl Fn(Area) -> f64) -> Option<Text> {
        self.search(forms, cost, |board, area| !board.covers_text(area) && !board.covers_drawing(area))
    }

    /// As [`Board::place`], but rather over the curve than nowhere.
    pub(super) fn place_surely(&mut self, forms: &[Text], cost: impl Fn(Area) -> f64) -> Option<Text> {
        let free = self.place(forms, &cost);
        free.or_else(|| {
            let text = self.search(forms, cost, |board, area| !board.covers_text(area))?;
            Some(Text { over: true, ..text })
        })
    }

    fn search(
        &mut self,
        forms: &[Text],
        cost: impl Fn(Area) -> f64,
        free: impl Fn(&Self, Area) -> bool,
    ) -> Option<Text> {
        let mut best: Option<(f64, Text)> = None;
        for form in forms {
            for (left, top) in self.corners(form.area) {
                let area = moved(form.area, left, top);
                let price = cost(area) + self.crossings(area);
                if best.as_ref().is_none_or(|(cheapest, _)| price < *cheapest) && free(self, area) {
                    best = Some((price, form.clone().at(left, top)));
                }
            }
        }
        let (_, text) = best?;
        self.taken.push(text.area);
        Some(text)
    }

    /// Left upper corners of all places for an area.
    fn corners(&self, area: Area) -> impl Iterator<Item = (f64, f64)> + use<> {
        let room = self.room.grown(-AIR);
        let steps = |from: f64, length: f64| {
            let count = if length < 0.0 { 0 } else { (length / GRID) as usize + 1 };
            (0..count).map(move |step| from + GRID * step as f64)
        };
        let tops = steps(room.top, room.height() - area.height());
        tops.flat_map(move |top| steps(room.left, room.width() - area.width()).map(move |left| (left, top)))
    }

    fn crossings(&self, area: Area) -> f64 {
        CROSSING * self.rows.iter().filter(|row| area.top < **row && **row < area.bottom).count() as f64
    }

    fn covers_text(&self, area: Area) -> bool {
        self.taken.iter().any(|other| area.grown(AIR).overlaps(*other))
    }

    fn covers_drawing(&self, area: Area) -> bool {
        let area = area.grown(AIR);
        self.skyline.touches(area) || self.marks.iter().any(|mark| area.overlaps(*mark))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM: Area = Area { left: 0.0, top: 0.0, right: 400.0, bottom: 200.0 };

    fn text(line: &str) -> Text {
        Text::new([line], Role::Plain, 10.0)
    }

    #[test]
    fn text_avoids_curve_marks_and_other_text() {
        let diagonal = [(0.0, 200.0), (400.0, 0.0)];
        let mut board = Board::new(ROOM, &diagonal, vec![Area::around((60.0, 40.0), 20.0)], &[]);
        let near = |area: Area| area.distance((60.0, 40.0));
        let first = board.place(&[text("some words")], near).unwrap().area;
        let second = board.place(&[text("some words")], near).unwrap().area;
        assert!(!first.overlaps(second));
        for area in [first, second] {
            assert!(!area.overlaps(Area::around((60.0, 40.0), 20.0)));
            assert!(
                area.right / 400.0 + area.bottom / 200.0 < 1.0,
                "{area:?} is above the diagonal, on the mark's side"
            );
        }
    }

    #[test]
    fn text_that_must_be_there_goes_over_the_curve() {
        let zigzag: Vec<(f64, f64)> = (0..400_u32).map(|x| (f64::from(x), f64::from(x % 2) * 200.0)).collect();
        let mut board = Board::new(ROOM, &zigzag, Vec::new(), &[]);
        assert!(board.place(&[text("some words")], |area| area.left).is_none());
        assert!(board.place_surely(&[text("some words")], |area| area.left).is_some());
    }

    #[test]
    fn text_wider_than_the_room_has_no_place() {
        let mut board = Board::new(ROOM, &[], Vec::new(), &[]);
        assert!(board.place_surely(&[text(&"W".repeat(60))], |_| 0.0).is_none());
    }

    #[test]
    fn estimated_widths_are_those_of_the_widest_usual_font() {
        // REFERENCE: text set in DejaVu Sans and DejaVu Sans Bold 2.37, advance widths without kerning, in font sizes.
        let words = "peak 119.2 % at the best 52.5 % of customers";
        for (role, real) in [(Role::Plain, 23.2954), (Role::Strong, 25.9854)] {
            let estimate = width(words, role, 1.0);
            assert!((real..real * 1.02).contains(&estimate), "{estimate} for {real}");
        }
    }

    proptest! {
        #[test]
        fn fitted_text_fits_and_is_kept_when_it_can_be(text in any::<String>(), room in 20.0..400.0) {
            let short = fitted(&text, Role::Heading, 10.0, room);
            prop_assert!(width(&short, Role::Heading, 10.0) <= room);
            if width(&text, Role::Heading, 10.0) <= room {
                prop_assert_eq!(short, text);
            }
        }
    }
}
