//! What all charts share: the picture with its accessible name, colours, axes and grid.

use super::{
    label::{Align, Area, Role, Text, fitted},
    scale::Linear,
    svg::{Svg, fixed},
};

/// Size of every picture in its own units; it takes the width that the page gives it.
pub(super) const VIEW: Area = Area { left: 0.0, top: 0.0, right: 960.0, bottom: 640.0 };

/// Air at the picture's edge.
const MARGIN: f64 = 14.0;

/// Sizes for one width of the page.
pub(super) struct Format {
    /// Class of the group that the style shows on pages of that width.
    class: &'static str,
    heading: f64,
    /// Font size of labels in the plot.
    pub(super) label: f64,
    /// Font size of ticks and names of axes.
    pub(super) tick: f64,
    /// Radius of marks.
    pub(super) mark: f64,
    /// Corners of a line.
    pub(super) corners: usize,
}

/// Above and below 640 px. The font of a narrow picture is large: 960 units on 360 px leave 10 px of 27 units.
pub(super) const FORMATS: [Format; 2] = [
    Format { class: "wide", heading: 26.0, label: 19.0, tick: 17.0, mark: 6.0, corners: 240 },
    Format { class: "narrow", heading: 36.0, label: 29.0, tick: 27.0, mark: 10.0, corners: 100 },
];

/// The style, scoped to the picture. Colours are those of Okabe & Ito, which colour-blind readers can tell apart.
///
/// Source: M. Okabe, K. Ito, Color universal design (2008).
pub(super) const STYLE: &str = "\
.wc-chart{display:block;width:100%;height:auto;\
font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif}\
.wc-chart .paper{fill:#fff}\
.wc-chart text{fill:#1b1f24}\
.wc-chart .over{stroke:#fff;stroke-width:5px;stroke-linejoin:round;paint-order:stroke}\
.wc-chart .quiet{fill:#59616b}\
.wc-chart .lost{fill:#8f3b00}\
.wc-chart .heading,.wc-chart .strong{font-weight:600}\
.wc-chart path,.wc-chart line{fill:none;stroke-linejoin:round;stroke-linecap:round}\
.wc-chart .grid{stroke:#e4e7eb;stroke-width:1.5}\
.wc-chart .axis{stroke:#8a929c;stroke-width:2}\
.wc-chart .total{stroke:#59616b;stroke-width:2;stroke-dasharray:7 6}\
.wc-chart .edge{stroke:#d55e00;stroke-width:2;stroke-dasharray:2 6}\
.wc-chart .gain{stroke:#0072b2;stroke-width:4}\
.wc-chart .loss{stroke:#d55e00;stroke-width:4}\
.wc-chart .gain-area{fill:#0072b2;fill-opacity:.1}\
.wc-chart .loss-area{fill:#d55e00;fill-opacity:.2}\
.wc-chart .mark{fill:#0072b2;stroke:#fff;stroke-width:2}\
.wc-chart .ring{fill:#fff;stroke:#0072b2;stroke-width:3}\
.wc-chart .narrow .gain,.wc-chart .narrow .loss{stroke-width:6}\
.wc-chart .narrow .grid,.wc-chart .narrow .axis,.wc-chart .narrow .total,.wc-chart .narrow .edge{stroke-width:3}\
.wc-chart .narrow{display:none}\
@media(max-width:640px){.wc-chart .narrow{display:inline}.wc-chart .wide{display:none}}\
@media(prefers-color-scheme:dark){\
.wc-chart .paper{fill:#15181c}\
.wc-chart text{fill:#eceff2}\
.wc-chart .over{stroke:#15181c}\
.wc-chart .quiet{fill:#a7b0ba}\
.wc-chart .lost{fill:#ffc65c}\
.wc-chart .grid{stroke:#2b3037}\
.wc-chart .axis{stroke:#767f8a}\
.wc-chart .total{stroke:#a7b0ba}\
.wc-chart .edge,.wc-chart .loss{stroke:#e69f00}\
.wc-chart .gain{stroke:#56b4e9}\
.wc-chart .gain-area{fill:#56b4e9;fill-opacity:.14}\
.wc-chart .loss-area{fill:#e69f00;fill-opacity:.24}\
.wc-chart .mark{fill:#56b4e9;stroke:#15181c}\
.wc-chart .ring{fill:#15181c;stroke:#56b4e9}}";

/// What a screen reader says of a picture, and where the picture stands.
pub(super) struct Picture<'a> {
    /// Of the element, unique in its page; other characters than ASCII letters, digits and `-` become `-`.
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    /// Whether it is a file of its own and brings its style; a page has the style once, in its head.
    pub(super) alone: bool,
}

impl Picture<'_> {
    /// The whole SVG element, drawn for wide and for narrow pages.
    pub(super) fn svg(&self, draw: impl Fn(&mut Svg, &Format)) -> String {
        self.element("wc-chart", "", (VIEW.width(), VIEW.height()), |svg| {
            svg.empty("rect", &[("class", "paper"), ("width", &fixed(VIEW.right)), ("height", &fixed(VIEW.bottom))]);
            for format in &FORMATS {
                svg.open("g", &[("class", format.class)]);
                draw(svg, format);
                svg.close("g");
            }
        })
    }

    /// One SVG element of a size, with its name and description.
    ///
    /// * `suffix`: what the id has more, where a picture has several elements.
    pub(super) fn element(
        &self,
        class: &str,
        suffix: &str,
        (width, height): (f64, f64),
        draw: impl FnOnce(&mut Svg),
    ) -> String {
        let id: String = self.id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let id = id + suffix;
        let (title, desc) = (format!("{id}-title"), format!("{id}-desc"));
        let mut svg = Svg::default();
        let attributes = [
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("id", id.as_str()),
            ("class", class),
            ("viewBox", &format!("0 0 {} {}", fixed(width), fixed(height))),
            ("role", "img"),
            ("aria-labelledby", &format!("{title} {desc}")),
        ];
        svg.open("svg", &attributes);
        svg.leaf("title", &[("id", &title)], self.name);
        svg.leaf("desc", &[("id", &desc)], self.description);
        if self.alone {
            svg.leaf("style", &[], STYLE);
        }
        draw(&mut svg);
        svg.close("svg");
        svg.finish()
    }
}

/// A labelled axis.
pub(super) struct Axis {
    pub(super) name: String,
    /// Value and label, ascending, at least two.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// First and last tick.
    pub(super) fn range(&self) -> (f64, f64) {
        let value = |tick: Option<&(f64, String)>| tick.map_or(0.0, |tick| tick.0);
        (value(self.ticks.first()), value(self.ticks.last()))
    }
}

/// The plot between its axes.
pub(super) struct Frame {
    /// From axis to edge; above the highest tick there is room for one line of text.
    pub(super) plot: Area,
    pub(super) x: Linear,
    pub(super) y: Linear,
    /// Heights of the grid lines.
    pub(super) rows: Vec<f64>,
    texts: Vec<Text>,
}

impl Frame {
    /// Height of the plot, which does not depend on what is in it.
    pub(super) fn plot_height(format: &Format) -> f64 {
        let row = 1.25 * format.tick;
        VIEW.height() - 2.0 * MARGIN - 1.25 * format.heading - 3.8 * row
    }

    /// Frame of a chart.
    pub(super) fn new(format: &Format, heading: &str, x: &Axis, y: &Axis) -> Self {
        let quiet = |text: &str| Text::new([text], Role::Quiet, format.tick);
        let row = 1.25 * format.tick;
        let widest = y.ticks.iter().map(|(_, label)| quiet(label).area.width()).fold(0.0, f64::max);
        let last = x.ticks.last().map_or(0.0, |(_, label)| quiet(label).area.width() / 2.0);
        let top = MARGIN + 1.25 * format.heading + 1.25 * row;
        let plot = Area {
            left: MARGIN + widest + format.tick / 2.0,
            top,
            right: VIEW.right - MARGIN.max(last + 2.0),
            bottom: top + Self::plot_height(format),
        };
        let headroom = 1.25 * format.label + 2.0 * format.mark + 14.0;
        let across = Linear::new(x.range(), (plot.left, plot.right));
        let up = Linear::new(y.range(), (plot.bottom, plot.top + headroom));
        let mut texts = Self::names(format, heading, x, y, plot);
        for (value, label) in &y.ticks {
            let top = up.at(*value) - row / 2.0;
            texts.push(quiet(label).aligned(Align::End, plot.left - format.tick / 2.0, top));
        }
        for (value, label) in &x.ticks {
            texts.push(quiet(label).aligned(Align::Middle, across.at(*value), plot.bottom + 0.55 * row));
        }
        let rows = y.ticks.iter().map(|(value, _)| up.at(*value)).collect();
        Self { plot, x: across, y: up, rows, texts }
    }

    /// Heading and names of the axes, cut where they are too long.
    fn names(format: &Format, heading: &str, x: &Axis, y: &Axis, plot: Area) -> Vec<Text> {
        let room = VIEW.width() - 2.0 * MARGIN;
        let text = |words: &str, role, size| Text::new([fitted(words, role, size, room)], role, size);
        let head = text(heading, Role::Heading, format.heading).aligned(Align::Start, MARGIN, MARGIN);
        let below = head.area.bottom;
        let name = text(&x.name, Role::Quiet, format.tick);
        let left = plot.center().0.min(VIEW.right - MARGIN - name.area.width() / 2.0);
        vec![
            head,
            text(&y.name, Role::Quiet, format.tick).aligned(Align::Start, MARGIN, below),
            name.aligned(Align::Middle, left, plot.bottom + 1.55 * 1.25 * format.tick),
        ]
    }

    /// Grid lines, which lie under everything.
    pub(super) fn draw_grid(&self, svg: &mut Svg) {
        for y in &self.rows {
            self.draw_row(svg, "grid", *y);
        }
    }

    /// A line over the whole width of the plot.
    pub(super) fn draw_row(&self, svg: &mut Svg, class: &'static str, y: f64) {
        draw_line(svg, class, (self.plot.left, y), (self.plot.right, y));
    }

    /// Axes, ticks and names, which lie over the areas.
    pub(super) fn draw_axes(&self, svg: &mut Svg) {
        draw_line(svg, "axis", (self.plot.left, self.plot.bottom), (self.plot.right, self.plot.bottom));
        for text in &self.texts {
            text.draw(svg);
        }
    }
}

/// A straight line.
pub(super) fn draw_line(svg: &mut Svg, class: &'static str, from: (f64, f64), to: (f64, f64)) {
    let ends = [fixed(from.0), fixed(from.1), fixed(to.0), fixed(to.1)];
    svg.empty("line", &[("class", class), ("x1", &ends[0]), ("y1", &ends[1]), ("x2", &ends[2]), ("y2", &ends[3])]);
}

/// A round mark.
pub(super) fn draw_mark(svg: &mut Svg, class: &'static str, (x, y): (f64, f64), radius: f64) {
    svg.empty("circle", &[("class", class), ("cx", &fixed(x)), ("cy", &fixed(y)), ("r", &fixed(radius))]);
}
