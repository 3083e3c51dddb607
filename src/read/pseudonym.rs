//! Pseudonyms: what stands in the place of a customer's id from the first moment on, so that every join, every output and
//! `rejected` know nothing else.
//!
//! `pseudonym = first 16 bytes of BLAKE3_keyed(key, id as text)`, in hexadecimal. Without the key nobody can try ids one by one,
//! as with a plain hash. An integer is taken as its digits, so that 7 in one table and `7` in a CSV are one customer.

use std::fmt::Write;

use polars::prelude::*;

use crate::schema::inputs::IdKey;

/// Roles of columns that hold ids of people.
pub(super) const PERSONS: [&str; 4] = ["customer_id", "referrer", "referred", "prospect_id"];

/// Bytes of a pseudonym: two of 10⁹ customers share one with a probability below 10⁻²⁰.
const BYTES: usize = 16;

/// Keeps keys of this program apart from other uses of the same secret.
const CONTEXT: &str = "whalecurve 2026-11-30 pseudonyms of customer ids";

/// The key that follows from a secret of any length.
#[must_use]
pub fn key_of(secret: &[u8]) -> IdKey {
    IdKey::new(blake3::derive_key(CONTEXT, secret))
}

/// What stands in the place of an id.
#[must_use]
pub fn pseudonym(key: &IdKey, id: &[u8]) -> String {
    let hash = blake3::keyed_hash(key.bytes(), id);
    hash.as_bytes()[..BYTES].iter().fold(String::with_capacity(2 * BYTES), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Tells one key from another, and nothing else of it.
#[must_use]
pub fn fingerprint(key: &IdKey) -> String {
    pseudonym(key, b"fingerprint of a key, and no id")[..8].to_owned()
}

/// A column of ids as pseudonyms. No id stays none, and an empty one stays empty: the contract has rules for them.
pub(super) fn of_column(ids: Expr, key: IdKey) -> Expr {
    let hashed = move |column: Column| {
        let texts = column.str()?;
        let of = |id: &str| if id.is_empty() { String::new() } else { pseudonym(&key, id.as_bytes()) };
        let hashed: StringChunked = texts.iter().map(|id| id.map(of)).collect();
        Ok(hashed.with_name(column.name().clone()).into_column())
    };
    ids.cast(DataType::String).map(hashed, |_, field| Ok(Field::new(field.name().clone(), DataType::String)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_depends_on_key_and_id_alone() {
        let (one, two) = (key_of(b"a secret of some length"), key_of(b"another secret of length"));
        assert_eq!(pseudonym(&one, b"7"), pseudonym(&one, b"7"));
        assert_ne!(pseudonym(&one, b"7"), pseudonym(&one, b"07"));
        assert_ne!(pseudonym(&one, b"7"), pseudonym(&two, b"7"));
        // Keyed, and not the hash that anybody can make.
        assert_ne!(pseudonym(&one, b"7"), blake3::hash(b"7").to_hex()[..32].to_owned());
        assert_eq!(pseudonym(&one, b"7").len(), 32);
        assert_ne!(fingerprint(&one), fingerprint(&two));
        assert_eq!(format!("{one:?}"), "IdKey(…)");
    }
}
