//! A grid of tiles, darker where there is more; every tile says its number as well.

use super::{
    label::{Align, Role, fitted},
    sheet::{Sheet, sheets},
    svg::{Svg, fixed},
};

/// Steps of darkness.
pub(super) const LEVELS: usize = 6;

/// What a tile shows.
#[derive(Clone, Debug)]
pub(super) enum Tile {
    /// Nothing is there.
    Empty,
    /// Too few to tell.
    Hidden,
    /// Darkness below [`LEVELS`], its number, and what stands beneath it where there is room.
    Told(usize, String, String),
}

/// The picture.
pub(super) struct Heat<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    /// Names of columns and rows, and of what they are.
    pub(super) columns: &'a [String],
    pub(super) rows: &'a [String],
    pub(super) across: &'a str,
    pub(super) down: &'a str,
    /// Row by row.
    pub(super) tiles: &'a [Vec<Tile>],
}

/// Classes of the tiles, light to dark.
const CLASSES: [&str; LEVELS] = ["heat-0", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5"];
/// Classes of their text.
const INKS: [Role; LEVELS] = [Role::Ink, Role::Ink, Role::Ink, Role::Paper, Role::Paper, Role::Paper];

const GAP: f64 = 6.0;

impl Heat<'_> {
    /// The picture.
    pub(super) fn svg(&self) -> String {
        let height = |sheet: &Sheet| Self::top(sheet) + self.rows.len() as f64 * Self::tile_height(sheet) + GAP;
        sheets(self.id, self.name, self.description, height, |svg, sheet| self.draw(svg, sheet))
    }

    /// Names of the axes, then of the columns.
    fn top(sheet: &Sheet) -> f64 {
        2.0 * (sheet.line() + GAP)
    }

    fn tile_height(sheet: &Sheet) -> f64 {
        if sheet.wide { 2.0 * sheet.line() + 2.0 * GAP } else { sheet.line() + 2.0 * GAP }
    }

    fn draw(&self, svg: &mut Svg, sheet: &Sheet) {
        let widest = self.rows.iter().map(|row| sheet.width_of(row, Role::Quiet)).fold(0.0, f64::max);
        let down = sheet.width_of(self.down, Role::Quiet);
        let labels = widest.max(if sheet.wide { down } else { 0.0 }).min(0.3 * sheet.width) + GAP;
        let width = (sheet.width - labels) / self.columns.len().max(1) as f64;
        let top = Self::top(sheet);
        let across = fitted(self.across, Role::Quiet, sheet.text, sheet.width - labels);
        sheet.write(svg, &across, Role::Quiet, Align::Start, (labels, 0.0));
        let down = fitted(self.down, Role::Quiet, sheet.text, labels - GAP);
        sheet.write(svg, &down, Role::Quiet, Align::Start, (0.0, sheet.line() + GAP));
        for (number, name) in self.columns.iter().enumerate() {
            let words = fitted(name, Role::Quiet, sheet.text, width - 2.0);
            let middle = labels + width * (number as f64 + 0.5);
            sheet.write(svg, &words, Role::Quiet, Align::Middle, (middle, sheet.line() + GAP));
        }
        let height = Self::tile_height(sheet);
        for (row, (name, tiles)) in self.rows.iter().zip(self.tiles).enumerate() {
            let upper = top + height * row as f64;
            let words = fitted(name, Role::Quiet, sheet.text, labels - GAP);
            let middle = upper + (height - sheet.line()) / 2.0;
            sheet.write(svg, &words, Role::Quiet, Align::End, (labels - GAP, middle));
            for (column, tile) in tiles.iter().enumerate() {
                let left = labels + width * column as f64;
                draw_tile(svg, sheet, tile, (left, upper), (width, height));
            }
        }
    }
}

fn draw_tile(svg: &mut Svg, sheet: &Sheet, tile: &Tile, (left, top): (f64, f64), (width, height): (f64, f64)) {
    let class = match tile {
        Tile::Empty => "heat-empty",
        Tile::Hidden => "heat-hidden",
        Tile::Told(level, ..) => CLASSES[(*level).min(LEVELS - 1)],
    };
    let places = [left + 1.0, top + 1.0, width - 2.0, height - 2.0].map(fixed);
    let [x, y, w, h] = places.each_ref().map(String::as_str);
    svg.empty("rect", &[("class", class), ("x", x), ("y", y), ("width", w), ("height", h)]);
    let Tile::Told(level, text, detail) = tile else { return };
    let ink = INKS[(*level).min(LEVELS - 1)];
    let lines = if sheet.wide && !detail.is_empty() { vec![text, detail] } else { vec![text] };
    let first = top + (height - sheet.line() * lines.len() as f64) / 2.0;
    for (number, line) in lines.into_iter().enumerate() {
        let words = fitted(line, ink, sheet.text, width - 4.0);
        sheet.write(svg, &words, ink, Align::Middle, (left + width / 2.0, first + sheet.line() * number as f64));
    }
}
