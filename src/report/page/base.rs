//! Part 5: who is still a customer.

use maud::{Markup, html};

use super::{
    Report,
    suppress::hidden,
    table::{HIDDEN, figure, nothing, table, untold},
    words::{decimals, of_customers, part},
};
use crate::report::{
    bars::{Bar, Bars, Tone},
    heat::{Heat, LEVELS, Tile},
    number::count,
};

/// Bins of P(alive).
const BINS: usize = 10;

/// Bands of the time since the last purchase.
const COLUMNS: usize = 6;

/// Least frequency of each band, and its name.
const BANDS: [(u64, &str); 7] =
    [(0, "1 purchase"), (1, "2"), (2, "3"), (3, "4–5"), (5, "6–10"), (10, "11–20"), (20, "21 and more")];

/// P(alive) of the customers with a purchase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Base {
    /// Customers by P(alive), each bin a tenth wide, the last one with 1.
    bins: [u64; BINS],
    /// Sum of P(alive): customers expected to be alive.
    alive: f64,
    customers: u64,
    /// Width of a band of the time since the last purchase.
    step: u64,
    /// The model's time unit.
    unit: String,
    /// Band of frequency by band of time: customers, sum of P(alive).
    heat: Vec<[(u64, f64); COLUMNS]>,
}

/// What is known of a customer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Repeat purchase days.
    pub(crate) frequency: u64,
    /// Last purchase to the day of the run, in time units.
    pub(crate) silent: f64,
    pub(crate) p_alive: f64,
}

impl Base {
    /// From customers with a purchase, in their order; `None` without one.
    pub(crate) fn of(customers: &[Known], unit: &str) -> Option<Self> {
        let longest = customers.iter().map(|known| known.silent).fold(0.0, f64::max);
        let step = (longest / COLUMNS as f64).ceil().max(1.0) as u64;
        let mut base = Self {
            customers: customers.len() as u64,
            step,
            unit: unit.to_owned(),
            heat: vec![[(0, 0.0); COLUMNS]; BANDS.len()],
            ..Self::default()
        };
        for known in customers {
            base.bins[((known.p_alive * BINS as f64) as usize).min(BINS - 1)] += 1;
            base.alive += known.p_alive;
            let row = BANDS.iter().rposition(|(least, _)| known.frequency >= *least).unwrap_or(0);
            let column = ((known.silent / step as f64) as usize).min(COLUMNS - 1);
            let cell = &mut base.heat[row][column];
            *cell = (cell.0 + 1, cell.1 + known.p_alive);
        }
        (!customers.is_empty()).then_some(base)
    }
}

impl Report {
    pub(super) fn base_part(&self) -> Markup {
        let Some(base) = &self.base else {
            return nothing(
                "How many customers are still there is not known: the run had no forecast.",
                "A `forecast` block in the config gives it.",
            );
        };
        let alive = count(base.alive.round_ties_even() as u64);
        html! {
            p {
                @if self.of_contracts {
                    "A contract tells when it ends; a renewal that is open counts with its probability. "
                } @else { "Nobody tells us when they leave; silence does, slowly. " }
                "Of the " (self.customers(base.customers)) " with a " (self.known_by()) ", about " strong { (alive) } " ("
                (part(base.alive / base.customers as f64)) ") are still "
                @if self.of_contracts { "under contract" } @else { "alive by the model" }
                ": the sum of everybody's P(alive)."
            }
            (self.alive_figure(base))
            // Under contract silence says nothing.
            @if !self.of_contracts { (self.heat_figure(base)) }
            @if let Some(holdout) = &self.holdout { (self.holdout_part(holdout)) } @else {
                h3 { "How good is the forecast?" }
                (nothing(
                    "The report was made without a holdout.",
                    "`whalecurve validate CONFIG --holdout 13w` makes one, and `whalecurve report OUTPUT --validation FOLDER` shows it here.",
                ))
            }
        }
    }

    /// What a customer must have for a P(alive).
    pub(super) fn known_by(&self) -> &'static str {
        if self.of_contracts { "contract" } else { "purchase" }
    }

    fn alive_figure(&self, base: &Base) -> Markup {
        let hidden = hidden(&base.bins, self.smallest_group);
        let is = if self.of_contracts { "under contract" } else { "alive" };
        let name = |bin: usize| format!("{} to {} %", bin * 10, (bin + 1) * 10);
        let (mut bars, mut rows) = (Vec::new(), Vec::new());
        for (bin, customers) in base.bins.iter().enumerate().rev() {
            let share = of_customers(*customers, base.customers);
            if hidden[bin] {
                rows.push(untold(name(bin), 3));
                bars.push(Bar::untold(name(bin)));
                continue;
            }
            let tone = if bin < BINS / 2 { Tone::Loss } else { Tone::Gain };
            bars.push(Bar::of(name(bin), i128::from(*customers), tone, format!("{} · {share}", count(*customers))));
            rows.push(vec![name(bin), count(*customers), share]);
        }
        let picture = Bars {
            id: "alive-picture",
            name: "Customers by P(alive)",
            description: &format!("{} customers are expected to be {is}.", count(base.alive.round_ties_even() as u64)),
            rows: &bars,
            joined: false,
        };
        let columns = [("P(alive)", false), ("Customers", true), ("of all", true)];
        figure(
            &format!("Customers by their probability of being {is}"),
            picture.svg(),
            &table("Customers by P(alive)", &columns, &rows),
        )
    }

    fn heat_figure(&self, base: &Base) -> Markup {
        let counts: Vec<u64> = base.heat.iter().flatten().map(|cell| cell.0).collect();
        let hidden = hidden(&counts, self.smallest_group);
        let used = base.heat.iter().rposition(|row| row.iter().any(|cell| cell.0 > 0)).unwrap_or(0);
        let tile = |row: usize, column: usize| {
            let (customers, sum) = base.heat[row][column];
            match (customers, hidden[row * COLUMNS + column]) {
                (0, _) => Tile::Empty,
                (_, true) => Tile::Hidden,
                (customers, false) => {
                    let mean = sum / customers as f64;
                    let level = ((mean * LEVELS as f64) as usize).min(LEVELS - 1);
                    Tile::Told(level, format!("{} %", decimals(Some(mean * 100.0), 0)), count(customers))
                }
            }
        };
        let tiles: Vec<Vec<Tile>> =
            (0..=used).map(|row| (0..COLUMNS).map(|column| tile(row, column)).collect()).collect();
        let columns: Vec<String> = (0..COLUMNS).map(|column| format!("{}+", base.step * column as u64)).collect();
        let rows: Vec<String> = BANDS[..=used].iter().map(|(_, name)| (*name).to_owned()).collect();
        let across = format!("{}s since the last purchase, each column from … on", base.unit);
        let heat = Heat {
            id: "heat-picture",
            name: "P(alive) by frequency and recency",
            description: "Mean P(alive) of the customers in each tile; a frequent buyer who has been silent for long is \
                          likelier gone than a rare one.",
            columns: &columns,
            rows: &rows,
            across: &across,
            down: "purchase days",
            tiles: &tiles,
        };
        let told = |tile: &Tile| match tile {
            Tile::Empty => String::new(),
            Tile::Hidden => HIDDEN.to_owned(),
            Tile::Told(_, mean, customers) => format!("{mean} of {customers}"),
        };
        let data: Vec<Vec<String>> = rows
            .iter()
            .zip(&tiles)
            .map(|(name, tiles)| std::iter::once(name.clone()).chain(tiles.iter().map(told)).collect())
            .collect();
        let mut heads = vec![("Purchase days", false)];
        heads.extend(columns.iter().map(|column| (column.as_str(), true)));
        let caption = format!("Mean P(alive) and customers, by {across}");
        html! {
            p {
                "Silence means something else for each of them: who bought every week and has not come for months is likely gone; "
                "who comes once a year may well come again."
            }
            (figure("P(alive) by purchase days so far and time since the last one", heat.svg(), &table(&caption, &heads, &data)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_stand_in_the_tile_of_their_frequency_and_silence() {
        let known = |frequency, silent, p_alive| Known { frequency, silent, p_alive };
        let base = Base::of(&[known(0, 0.0, 1.0), known(4, 55.0, 0.25), known(25, 11.0, 0.5)], "week").unwrap();
        assert_eq!(base.step, 10);
        assert_eq!((base.heat[0][0], base.heat[3][5], base.heat[6][1]), ((1, 1.0), (1, 0.25), (1, 0.5)));
        assert_eq!((base.bins[9], base.bins[2], base.bins[5]), (1, 1, 1));
        assert!((base.alive - 1.75).abs() < 1e-12);
        assert!(Base::of(&[], "week").is_none());
    }
}
