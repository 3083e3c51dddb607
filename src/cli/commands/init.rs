//! `whalecurve init`: a commented config from the data's own schema.

use camino::Utf8PathBuf;

use crate::{
    cli::{Exit, init, streams::Streams},
    read::peek::peek_each,
    schema::location::is_url,
};

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Tables: files, folders or globs of Parquet or CSV, the ledger among them.
    #[arg(required = true)]
    tables: Vec<String>,
    /// Config to write; it must not be there.
    #[arg(long, default_value = "whalecurve.yaml")]
    config: Utf8PathBuf,
}

/// Looks at tables and writes a config; says what is left to do.
///
/// # Errors
/// When the streams cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> std::io::Result<Exit> {
    let config = &args.config;
    let mut peeks = Vec::with_capacity(args.tables.len());
    if args.tables.iter().any(|path| is_url(path)) {
        let hint = "copy one file of the table, run init on the copy, and put the URL into `path` of what it writes";
        return streams.fail("init looks at files of this machine, and a table is a URL", Some(hint), Exit::USAGE);
    }
    for path in &args.tables {
        match peek_each(path) {
            Ok(found) => peeks.extend(found.into_iter().map(|(path, peek)| (relative_to(config, &path), peek))),
            Err(error) => return streams.fail(&error.to_string(), error.hint(), Exit::FAILURE),
        }
    }
    let (found, none) = init::guess(&peeks);
    let folder = std::path::absolute(config).ok();
    let name = folder.as_deref().and_then(|path| path.parent()?.file_name()?.to_str()).unwrap_or("customers");
    let text = init::config(name, &found, &none);
    let written = std::fs::OpenOptions::new().write(true).create_new(true).open(config);
    if let Err(error) = written.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes())) {
        let hint = "name another with --config, or move the old one away";
        return streams.fail(&format!("{config}: {error}"), Some(hint), Exit::USAGE);
    }
    for table in &found {
        writeln!(
            streams.talk,
            "{} is taken for `{}`, {} of 10",
            table.paths.join(", "),
            table.table.as_str(),
            table.of_ten
        )?;
    }
    if let Some(ledger) = found.iter().find(|table| table.is_csv_ledger()) {
        writeln!(
            streams.talk,
            "{0} is CSV, and a ledger must be Parquet: write it as that, as with DuckDB: COPY (FROM '{0}') TO 'ledger.parquet' \
             (FORMAT parquet)",
            ledger.paths.join(", ")
        )?;
    }
    for path in &none {
        writeln!(streams.talk, "{path} was not recognised; docs/inputs.md lists the tables that a run reads")?;
    }
    let said = |line: &str| line.split(" #").next().filter(|line| !line.starts_with('#')).map_or(0, todos);
    let todo: usize = text.lines().map(said).sum();
    writeln!(streams.talk, "{config} is written, with {todo} TODO. Next: whalecurve check {config}")?;
    streams.result(serde_json::json!({"config": config.as_str(), "tables": found.len(), "todo": todo}))?;
    Ok(Exit::SUCCESS)
}

fn todos(line: &str) -> usize {
    line.matches("TODO").count()
}

/// A path as the config must say it: relative to its own folder, where both are relative to the working directory.
fn relative_to(config: &Utf8PathBuf, path: &str) -> String {
    let path = Utf8PathBuf::from(path);
    let folder = config.parent().filter(|folder| !folder.as_str().is_empty());
    match folder {
        None => path.into_string(),
        Some(folder) => match path.strip_prefix(folder) {
            Ok(below) => below.to_string(),
            Err(_) => std::path::absolute(&path)
                .ok()
                .and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
                .unwrap_or(path)
                .into_string(),
        },
    }
}
