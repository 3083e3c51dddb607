//! Pictures of the report: inline SVG that needs no script, no font and no network.
//!
//! ```text
//! page ──► bars, plot, heat ──► sheet   two shapes of a picture, for wide and for narrow pages
//!   └────► whale_curve ───────► curve   the numbers and the sentences
//!               └──► label, chart       boxes of text and free places for them; frame, axes, colours ──► scale, number, svg
//! ```
//!
//! A picture is a pure function of its data with the same bytes on every platform: ticks and the numbers in words are
//! integers, coordinates have one fixed decimal. It draws itself twice, for wide and for narrow pages, and the page's
//! width shows one of them; light and dark follow the reader's setting.

#[cfg(feature = "engine")]
mod bars;
mod chart;
mod curve;
#[cfg(feature = "engine")]
mod heat;
mod label;
mod number;
#[cfg(feature = "engine")]
pub(crate) mod page;
#[cfg(feature = "engine")]
mod plot;
mod scale;
#[cfg(feature = "engine")]
mod sheet;
mod svg;
#[cfg(test)]
mod tests;
pub mod whale_curve;
