//! A first config from the data's own schema: what each table and column is likely to be, and how sure that is.

mod documented;
mod guess;
mod roles;
mod write;

pub(super) use self::{guess::guess, write::config};
