//! What a run is: its name, currency, day and period.

use camino::Utf8Path;

use crate::{
    cli::config::{error::Problems, suggest::quoted, walk::Entry},
    schema::{
        location::{Location, is_url},
        money::{Currency, MAX_EXPONENT},
        outputs::DATASETS,
        period::PeriodKind,
    },
    store,
};

/// The format of the config that this program reads.
const VERSION: &str = "1";

/// Words of `period`.
const PERIODS: [(&str, PeriodKind); 4] = [
    ("whole", PeriodKind::Whole),
    ("year", PeriodKind::Year),
    ("quarter", PeriodKind::Quarter),
    ("month", PeriodKind::Month),
];

/// Whether `version` is the one that is read here. Nothing else of another version's config can be judged.
pub(in crate::cli::config) fn version(entry: &Entry<'_>, problems: &mut Problems) -> bool {
    let known = entry.scalar() == Some(VERSION);
    if !known {
        entry.refuse(&format!("{VERSION}, the version of the config that this program reads"), None, problems);
    }
    known
}

/// `period`.
pub(in crate::cli::config) fn period(entry: &Entry<'_>, problems: &mut Problems) -> Option<PeriodKind> {
    entry.word(&PERIODS, problems)
}

/// `currency`: an ISO 4217 code, or a code with its number of minor digits.
pub(in crate::cli::config) fn currency(entry: &Entry<'_>, problems: &mut Problems) -> Option<Currency> {
    if entry.is_map() {
        return own_currency(entry, problems);
    }
    let expected = "an ISO 4217 code like EUR";
    let code = entry.text(expected, problems)?;
    let currency = Currency::from_code(code);
    if currency.is_none() {
        let hint = match Currency::from_code(&code.trim().to_uppercase()) {
            Some(_) => "write the code in capital letters".to_owned(),
            None => "for another unit, give its digits: {code: XTS, exponent: 2}".to_owned(),
        };
        entry.refuse(expected, Some(hint), problems);
    }
    currency
}

fn own_currency(entry: &Entry<'_>, problems: &mut Problems) -> Option<Currency> {
    let fields = entry.fields(&["code", "exponent"], problems)?;
    let code = fields.read("code", problems, |entry, problems| {
        let expected = "a code of 1 to 12 letters and digits";
        let code = entry.text(expected, problems)?;
        let valid = code.len() <= 12 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !valid {
            entry.refuse(expected, None, problems);
        }
        valid.then(|| code.to_owned())
    });
    let exponent = fields.read("exponent", problems, |entry, problems| {
        entry.whole(0, u64::from(MAX_EXPONENT), problems).and_then(|exponent| u8::try_from(exponent).ok())
    });
    Some(Currency { code: code?, exponent: exponent? })
}

/// The run's name when the config gives none: the config's folder, or its file when it lies in no folder.
pub(in crate::cli::config) fn default_name(file: &Utf8Path) -> String {
    let absolute = camino::absolute_utf8(file).unwrap_or_else(|_| file.to_owned());
    let folder = absolute.parent().and_then(Utf8Path::file_name);
    folder.or_else(|| file.file_stem()).unwrap_or("whalecurve").to_owned()
}

/// `name`: one line of text.
pub(in crate::cli::config) fn name(entry: &Entry<'_>, problems: &mut Problems) -> Option<String> {
    let expected = "a name on one line";
    let name = entry.text(expected, problems)?.trim();
    if name.contains(char::is_control) {
        entry.refuse(expected, None, problems);
        return None;
    }
    Some(name.to_owned())
}

/// `output`: a folder, or the URL of a place in an object store.
pub(in crate::cli::config) fn output<'t>(entry: &Entry<'t>, problems: &mut Problems) -> Option<&'t str> {
    let output = entry.text("a folder or the URL of an object store", problems)?;
    if !is_place(entry, output, problems) {
        return None;
    }
    if is_url(output) && output.contains(['*', '?', '[']) {
        entry.refuse("a place without wildcards", None, problems);
        return None;
    }
    Some(output)
}

/// `spool`: a folder of this machine.
pub(in crate::cli::config) fn spool<'t>(entry: &Entry<'t>, problems: &mut Problems) -> Option<&'t str> {
    let spool = entry.text("a folder", problems)?;
    if is_url(spool) {
        entry.refuse("a folder of this machine", None, problems);
        return None;
    }
    Some(spool)
}

/// Whether a path is one of the file system, or a URL of a store that this build reads and writes.
pub(in crate::cli::config) fn is_place(entry: &Entry<'_>, path: &str, problems: &mut Problems) -> bool {
    if !is_url(path) {
        return true;
    }
    match Location::parse(path) {
        Ok(_) if !store::BUILT => {
            let what =
                format!("{} is in an object store, which this build does not read or write", quoted(entry.path()));
            let hint = "build it with `cargo build --release --features stores`";
            problems.add_with_hint(entry.at(), what, hint);
            false
        }
        Ok(_) => true,
        Err(error) => {
            problems.add_with_hint(entry.at(), format!("{} {error}", quoted(entry.path())), error.hint());
            false
        }
    }
}

/// `outputs`: names of datasets.
pub(in crate::cli::config) fn outputs(entry: &Entry<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let known: Vec<(&str, &str)> = DATASETS.iter().map(|dataset| (dataset.name, dataset.name)).collect();
    let items = entry.one_or_more("names of datasets", problems)?;
    items.iter().map(|item| item.word(&known, problems).map(str::to_owned)).collect()
}
