//! The key of customers' pseudonyms: from a variable or a file, into the settings of every table, and nowhere else.

use std::{fs, os::unix::fs::MetadataExt};

use camino::Utf8Path;

use crate::{
    read::pseudonym::key_of,
    schema::{inputs::IdKeySource, settings::Settings},
};

/// Bytes that a key must have: less can be guessed.
const LEAST: usize = 16;

/// Bytes that a key file may have.
const MOST: u64 = 4_096;

/// Reads the key that the config names, if it names one.
///
/// # Errors
/// What is wrong with it, without a byte of it.
pub(super) fn unlock(settings: &mut Settings, env: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    let Some(source) = &settings.ids else { return Ok(()) };
    let (what, secret) = match source {
        IdKeySource::Variable(name) => {
            let secret = env(name).ok_or_else(|| format!("ids: environment variable {name} is not set"))?;
            (format!("environment variable {name}"), secret.into_bytes())
        }
        IdKeySource::File(path) => {
            let path = Utf8Path::new(&settings.base).join(path);
            (path.to_string(), of_file(&path)?)
        }
    };
    let secret = secret.trim_ascii();
    if secret.len() < LEAST {
        return Err(format!("ids: {what} holds a key of less than {LEAST} characters"));
    }
    let key = key_of(secret);
    settings.inputs.tables_mut().for_each(|(_, table)| table.id_key = Some(key));
    if let Some(scenario) = &mut settings.scenario {
        scenario.settings.inputs.tables_mut().for_each(|(_, table)| table.id_key = Some(key));
    }
    Ok(())
}

fn of_file(path: &Utf8Path) -> Result<Vec<u8>, String> {
    let io = |error: std::io::Error| format!("ids: {path}: {error}");
    let found = fs::metadata(path).map_err(io)?;
    if !found.is_file() || found.len() > MOST {
        return Err(format!("ids: {path}: is no file of at most {MOST} bytes"));
    }
    if found.mode() & 0o077 != 0 {
        return Err(format!("ids: {path}: others than its owner may read it; set its mode to 0600"));
    }
    fs::read(path).map_err(io)
}
