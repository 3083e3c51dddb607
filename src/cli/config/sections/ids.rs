//! `ids`: whether outputs carry customers' ids, or pseudonyms in their place.

use crate::{
    cli::config::{error::Problems, suggest::quoted, walk::Entry},
    schema::inputs::IdKeySource,
};

/// Where the key of pseudonyms is; `None` keeps ids.
type Ids = Option<IdKeySource>;

/// `{keyed_hash: {variable: NAME}}` or `{keyed_hash: {file: PATH}}`; `keep`, as without it.
pub(in crate::cli::config) fn read(entry: &Entry<'_>, problems: &mut Problems) -> Option<Ids> {
    if entry.scalar().is_some() {
        return entry.word(&[("keep", ())], problems).map(|()| None);
    }
    let hash = entry.fields(&["keyed_hash"], problems)?;
    let key = hash.require("keyed_hash", problems)?;
    let fields = key.fields(&["variable", "file"], problems)?;
    let expected = "the name of an environment variable, which holds the key";
    let variable = fields.read_or("variable", None, problems, |entry, problems| {
        let name = entry.text(expected, problems)?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            entry.refuse(expected, Some("the key itself stands in no config".to_owned()), problems);
        }
        is_name.then(|| Some(IdKeySource::Variable(name.to_owned())))
    });
    let file = fields.read_or("file", None, problems, |entry, problems| {
        entry.text("a file that holds the key", problems).map(|path| Some(IdKeySource::File(path.to_owned())))
    });
    match (variable?, file?) {
        (Some(source), None) | (None, Some(source)) => Some(Some(source)),
        _ => {
            let what = format!("{} needs one of variable and file", quoted(key.path()));
            problems.add_with_hint(key.key_at(), what, "as in: ids: {keyed_hash: {variable: WHALECURVE_ID_KEY}}");
            None
        }
    }
}
