//! Pictures of the report: inline SVG that needs no script, no font and no network.
//!
//! ```text
//! whale_curve ──► curve    the numbers and the sentences
//!      │    └───► label    boxes of text, and free places for them
//!      └────────► chart    frame, axes, colours  ──► scale, number, svg
//! ```
//!
//! A picture is a pure function of its data with the same bytes on every platform: ticks and the numbers in words are
//! integers, coordinates have one fixed decimal. It draws itself twice, for wide and for narrow pages, and the page's
//! width shows one of them; light and dark follow the reader's setting.

mod chart;
mod curve;
mod label;
mod number;
mod scale;
mod svg;
#[cfg(test)]
mod tests;
pub mod whale_curve;
