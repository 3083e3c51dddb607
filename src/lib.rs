//! whalecurve: what did each customer really earn, and what will it be worth.

pub mod forecast;
pub mod numeric;
pub mod schema;
pub mod units;
