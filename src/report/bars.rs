//! Lying bars with their labels and numbers: amounts beside each other, or steps from one amount to another.

use super::{
    label::{Align, Role, fitted},
    scale::Linear,
    sheet::{Sheet, sheets},
    svg::{Svg, fixed},
};

/// What a bar says. Losses are hatched, so that no reader needs the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Gain,
    Loss,
    /// A sum of what stands above it.
    Total,
    Quiet,
}

impl Tone {
    /// Gain or loss by sign.
    pub(super) fn of(value: i128) -> Self {
        if value < 0 { Self::Loss } else { Self::Gain }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Gain => "bar-gain",
            Self::Loss => "bar-loss",
            Self::Total => "bar-total",
            Self::Quiet => "bar-quiet",
        }
    }
}

/// One bar.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) tone: Tone,
    /// Its number in words.
    pub(super) text: String,
}

impl Bar {
    /// A bar from zero.
    pub(super) fn of(label: impl Into<String>, value: i128, tone: Tone, text: String) -> Self {
        Self { label: label.into(), from: 0.0, to: value as f64, tone, text }
    }

    /// The place of a group of too few customers.
    pub(super) fn untold(label: impl Into<String>) -> Self {
        Self::of(label, 0, Tone::Quiet, "too few to tell".to_owned())
    }

    fn low(&self) -> f64 {
        self.from.min(self.to)
    }

    fn high(&self) -> f64 {
        self.from.max(self.to)
    }

    fn role(&self) -> Role {
        if self.tone == Tone::Total { Role::Strong } else { Role::Plain }
    }
}

/// Bars one beneath the other.
pub(super) struct Bars<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    pub(super) rows: &'a [Bar],
    /// Whether each begins where the one before it ends: thin lines join them.
    pub(super) joined: bool,
}

/// Thickness of a bar, and air between bar and text.
const BAR: f64 = 22.0;
const GAP: f64 = 8.0;

/// Most of the width that labels beside the bars take.
const LABELS: f64 = 0.36;

/// Most of the width that numbers beside them take.
const TEXTS: f64 = 0.4;

impl Bars<'_> {
    /// The picture.
    pub(super) fn svg(&self) -> String {
        let height = |sheet: &Sheet| 2.0 * GAP + Self::pitch(sheet) * self.rows.len() as f64;
        sheets(self.id, self.name, self.description, height, |svg, sheet| self.draw(svg, sheet))
    }

    /// Distance from bar to bar: on a narrow page its label stands above it.
    fn pitch(sheet: &Sheet) -> f64 {
        if sheet.wide { BAR + GAP } else { sheet.line() + BAR + GAP }
    }

    /// Top of a bar; on a narrow page the line of its label stands above it.
    fn bar_top(sheet: &Sheet, row: usize) -> f64 {
        let top = GAP + Self::pitch(sheet) * row as f64;
        if sheet.wide { top } else { top + sheet.line() }
    }

    fn widest(&self, of: impl Fn(&Bar) -> f64) -> f64 {
        // A unit more, so that rounding never cuts the widest.
        self.rows.iter().map(of).fold(0.0, f64::max) + 1.0
    }

    fn draw(&self, svg: &mut Svg, sheet: &Sheet) {
        let labels = self.widest(|bar| sheet.width_of(&bar.label, bar.role())).min(LABELS * sheet.width);
        let texts = self.widest(|bar| sheet.width_of(&bar.text, Role::Quiet)).min(TEXTS * sheet.width);
        let (left, right) =
            if sheet.wide { (labels + GAP, sheet.width - texts - GAP) } else { (1.0, sheet.width - 1.0) };
        let low = self.rows.iter().map(Bar::low).fold(0.0, f64::min);
        let high = self.rows.iter().map(Bar::high).fold(0.0, f64::max);
        let across = Linear::new(if high > low { (low, high) } else { (0.0, 1.0) }, (left, right));
        for (row, bar) in self.rows.iter().enumerate() {
            let top = Self::bar_top(sheet, row);
            if self.joined && row > 0 {
                let before = Self::bar_top(sheet, row - 1);
                Self::draw_join(svg, across.at(self.rows[row - 1].to), (before + BAR, top));
            }
            let (from, to) = (across.at(bar.low()), across.at(bar.high()));
            // A bar of next to nothing is a line still.
            let places = [from, top, (to - from).max(1.5), BAR].map(fixed);
            let [x, y, w, h] = places.each_ref().map(String::as_str);
            svg.empty("rect", &[("class", bar.tone.class()), ("x", x), ("y", y), ("width", w), ("height", h)]);
            let zero = fixed(across.at(0.0));
            let over = if sheet.wide { 2.0 } else { 0.0 };
            let (upper, lower) = (fixed(top - over), fixed(top + BAR + over));
            svg.empty("line", &[("class", "axis"), ("x1", &zero), ("y1", &upper), ("x2", &zero), ("y2", &lower)]);
            draw_words(svg, sheet, bar, top, (labels, texts));
        }
    }

    fn draw_join(svg: &mut Svg, x: f64, (from, to): (f64, f64)) {
        let (x, from, to) = (fixed(x), fixed(from), fixed(to));
        svg.empty("line", &[("class", "join"), ("x1", &x), ("y1", &from), ("x2", &x), ("y2", &to)]);
    }
}

/// Label and number of a bar: in columns beside it, or on a line above it.
fn draw_words(svg: &mut Svg, sheet: &Sheet, bar: &Bar, top: f64, (labels, texts): (f64, f64)) {
    if sheet.wide {
        let middle = top + (BAR - sheet.line()) / 2.0;
        let label = fitted(&bar.label, bar.role(), sheet.text, labels);
        sheet.write(svg, &label, bar.role(), Align::End, (labels, middle));
        let text = fitted(&bar.text, Role::Quiet, sheet.text, texts);
        sheet.write(svg, &text, Role::Quiet, Align::Start, (sheet.width - texts, middle));
        return;
    }
    let above = top - sheet.line();
    let text = fitted(&bar.text, Role::Quiet, sheet.text, 0.7 * sheet.width);
    let room = sheet.width - sheet.width_of(&text, Role::Quiet) - GAP;
    let label = fitted(&bar.label, bar.role(), sheet.text, room);
    sheet.write(svg, &label, bar.role(), Align::Start, (0.0, above));
    sheet.write(svg, &text, Role::Quiet, Align::End, (sheet.width, above));
}
