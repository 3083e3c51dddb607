//! Forecasts.
pub mod bg_nbd;
mod bg_nbd_fit;
pub mod fit;
pub mod gamma_gamma;
pub mod lifetime;
pub mod path_totals;
mod paths;
pub mod simulate;
pub mod summary;
#[cfg(test)]
mod tests;
