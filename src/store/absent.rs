//! A build without object stores: every way to one says so.

use camino::Utf8Path;

use super::{Claim, Depth, Object, Pointer, Published, StoreError, spool::Spool};
use crate::schema::location::Location;

/// No stores.
#[derive(Debug, Default)]
pub struct Stores;

fn not_built<T>(url: String) -> Result<T, StoreError> {
    Err(StoreError::NotBuilt { url })
}

impl Stores {
    /// Nothing is opened.
    ///
    /// # Errors
    /// None.
    pub fn new() -> Result<Self, StoreError> {
        Ok(Self)
    }

    /// # Errors
    /// [`StoreError::NotBuilt`].
    pub fn find(&self, location: &Location, _extensions: &[&str]) -> Result<Vec<Object>, StoreError> {
        not_built(location.url())
    }

    /// # Errors
    /// [`StoreError::NotBuilt`].
    pub fn fetch(&self, objects: &[(Object, Depth)], _spool: &Spool) -> Result<(), StoreError> {
        objects.first().map_or(Ok(()), |(object, _)| not_built(object.location.url()))
    }

    /// # Errors
    /// [`StoreError::NotBuilt`].
    pub fn objects(&self, folder: &Location) -> Result<Vec<Object>, StoreError> {
        not_built(folder.url())
    }

    /// # Errors
    /// [`StoreError::NotBuilt`].
    pub fn claim(&self, output: &Location) -> Result<Claim, StoreError> {
        not_built(output.url())
    }

    /// # Errors
    /// [`StoreError::NotBuilt`].
    pub fn current(&self, output: &Location) -> Result<Option<Pointer>, StoreError> {
        not_built(output.url())
    }

    /// # Errors
    /// [`StoreError::NotBuilt`].
    pub fn publish(
        &self,
        claim: &Claim,
        _folder: &Utf8Path,
        _result_digest: &str,
        _keep: usize,
    ) -> Result<Published, StoreError> {
        not_built(claim.output.url())
    }

    /// # Errors
    /// [`StoreError::NotBuilt`].
    pub fn clean(&self, output: &Location, _versions: bool) -> Result<Vec<String>, StoreError> {
        not_built(output.url())
    }
}

/// No HTTP.
///
/// # Errors
/// Always.
pub fn post(_url: &str, _key: Option<&str>, _body: String) -> Result<(), String> {
    Err("this build has no HTTP; build it with `cargo build --release --features stores`".to_owned())
}
