//! Runs whose inputs or output lie in object stores: objects are fetched before anything is read, results uploaded after they
//! have been written and checked. In between a run knows folders alone.

use std::{collections::BTreeMap, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::{Clock, Progress, RunError};
use crate::{
    publish::{
        PublishError,
        check::{Checked, Finding, check},
        folder::{self, MANIFEST},
    },
    read::{ROOT, ReadError, extensions},
    schema::{
        equity::BridgeFrom,
        location::{Location, is_url, shown},
        settings::{Format, Settings, TableName},
    },
    store::{Claim, Depth, Object, Published, StoreError, Stored, Stores, spool::Spool},
};

/// Older runs that stay in a store at least: a reader may be in the last one.
const LEAST_KEPT: usize = 1;

/// Name of a spool that stands beside no output, and of the results in it.
const ELSEWHERE: &str = "whalecurve";
const RESULTS: &str = "results";

/// Runs `work` on configs whose inputs are at hand, writes its output where it belongs, and says where that is when it is a store.
///
/// * `output`: where the results go; `None` for work that writes none.
///
/// # Errors
/// What `work` returns; [`RunError::Store`], [`ReadError::NoFile`]. Nothing of the output has changed then.
pub fn around<T>(
    configs: &[&Settings],
    output: Option<&str>,
    progress: &Arc<dyn Progress>,
    work: impl FnOnce(&[Settings], &Utf8Path) -> Result<T, RunError>,
) -> Result<(T, Option<Published>), RunError> {
    let local = Local::new(configs, output, Depth::Whole, Some(progress))?;
    let done = work(&local.settings, &local.output)?;
    Ok((done, local.deliver(progress)?))
}

/// Configs that name files alone, with what stands behind them.
pub struct Local {
    /// The configs, with spooled files in the place of URLs.
    pub settings: Vec<Settings>,
    /// Where the results are to be written; empty where there are none.
    pub output: Utf8PathBuf,
    stores: Option<Stores>,
    /// The output in a store as it stands.
    pub claim: Option<Claim>,
    _spool: Option<Spool>,
}

impl Local {
    /// Fetches what the configs name in stores. Without a URL nothing is opened and nothing made.
    ///
    /// # Errors
    /// As [`around`].
    pub fn new(
        configs: &[&Settings],
        output: Option<&str>,
        depth: Depth,
        progress: Option<&Arc<dyn Progress>>,
    ) -> Result<Self, RunError> {
        let mut settings: Vec<Settings> = configs.iter().map(|settings| (*settings).clone()).collect();
        let mut place = output.map(Utf8PathBuf::from).unwrap_or_default();
        let remote = output.filter(|output| is_url(output)).map(located).transpose()?;
        let inputs = settings.iter().any(|settings| urls(settings).next().is_some());
        if remote.is_none() && !inputs {
            return Ok(Self { settings, output: place, stores: None, claim: None, _spool: None });
        }
        if let Some(remote) = &remote {
            configs.iter().try_for_each(|settings| refuse_inputs(settings, remote))?;
        } else if output.is_some() && depth == Depth::Whole {
            folder::refuse_held(&place)?;
        }
        let stores = Stores::new()?;
        let claim = remote.as_ref().map(|remote| stores.claim(remote)).transpose()?;
        // Nothing is made beside an output that is not written.
        let beside = remote.is_none() && output.is_some() && depth == Depth::Whole;
        let spool = spool(configs, beside.then_some(&place))?;
        if inputs {
            let mut clock = progress.map(|progress| Clock::new(Arc::clone(progress)));
            if let Some(clock) = &mut clock {
                clock.start("fetch", None);
            }
            let mut fetch =
                Fetch { stores: &stores, spool: &spool, depth, wanted: BTreeMap::new(), listed: BTreeMap::new() };
            settings.iter_mut().try_for_each(|settings| fetch.replace(settings))?;
            let wanted: Vec<(Object, Depth)> = fetch.wanted.into_iter().collect();
            let whole = wanted.iter().filter(|(_, depth)| *depth == Depth::Whole);
            spool.has_room(whole.map(|(object, _)| object.bytes).sum())?;
            stores.fetch(&wanted, &spool)?;
            if let Some(clock) = &mut clock {
                clock.stop();
            }
        }
        if remote.is_some() {
            place = spool.path().join(RESULTS);
            for settings in &mut settings {
                place.as_str().clone_into(&mut settings.output);
            }
        }
        Ok(Self { settings, output: place, stores: Some(stores), claim, _spool: Some(spool) })
    }

    /// Uploads the results, when they belong into a store.
    fn deliver(self, progress: &Arc<dyn Progress>) -> Result<Option<Published>, RunError> {
        let (Some(stores), Some(claim)) = (&self.stores, &self.claim) else { return Ok(None) };
        let mut clock = Clock::new(Arc::clone(progress));
        clock.start("upload", None);
        let path = self.output.join(MANIFEST);
        let text = std::fs::read(&path).map_err(|source| StoreError::Spool { url: path.to_string(), source })?;
        let manifest: Value = serde_json::from_slice(&text).unwrap_or_default();
        let digest = manifest["result_digest"].as_str().unwrap_or(RESULTS);
        let keep = self.settings.first().map_or(0, |settings| settings.keep_versions as usize).max(LEAST_KEPT);
        let published = stores.publish(claim, &self.output, digest, keep)?;
        folder::set_placed();
        clock.stop();
        Ok(Some(published))
    }
}

/// Checks an output in a store, offline but for the fetching of its objects: the run that the pointer names, or one that is
/// named by its own folder.
///
/// # Errors
/// [`RunError::Store`]; [`RunError::Publish`] when there is no manifest that can be read. What is wrong with the output otherwise.
pub fn verify(output: &Location) -> Result<Result<Checked, Vec<Finding>>, RunError> {
    let stores = Stores::new()?;
    let pointer = stores.current(output)?;
    let run = pointer.as_ref().map_or_else(|| output.clone(), |pointer| output.join(&pointer.run));
    let objects = stores.objects(&run)?;
    if !objects.iter().any(|object| object.location == run.join(MANIFEST)) {
        return Err(StoreError::NotFound { url: output.url(), what: "output of whalecurve" }.into());
    }
    let spool = spool(&[], None)?;
    let listed: Vec<Stored> = objects.iter().filter_map(|object| Stored::of(&run, object)).collect();
    let replaced = pointer.iter().flat_map(|pointer| &pointer.files).filter(|file| !listed.contains(file));
    let mut findings: Vec<Finding> = replaced
        .map(|file| Finding { path: file.path.clone().into(), what: "is not the object that was committed".to_owned() })
        .collect();
    let wanted: Vec<(Object, Depth)> = objects.into_iter().map(|object| (object, Depth::Whole)).collect();
    spool.has_room(wanted.iter().map(|(object, _)| object.bytes).sum())?;
    stores.fetch(&wanted, &spool)?;
    let checked = check(&run.spooled(spool.path())).map_err(|error| match error {
        PublishError::Damaged { path, what } => {
            RunError::Store(StoreError::Damaged { url: shown(&path).into_owned(), what })
        }
        PublishError::Io { path, source } => {
            RunError::Store(StoreError::Spool { url: shown(&path).into_owned(), source })
        }
        error => error.into(),
    })?;
    match checked {
        Ok(checked) if findings.is_empty() => Ok(Ok(checked)),
        Ok(_) => Ok(Err(findings)),
        Err(wrong) => {
            findings.extend(wrong);
            Ok(Err(findings))
        }
    }
}

/// A spool in the folder that the config names, beside the output, or where the system has such files.
fn spool(configs: &[&Settings], output: Option<&Utf8PathBuf>) -> Result<Spool, RunError> {
    let named = configs.iter().find_map(|settings| settings.spool.as_deref()).map(Utf8PathBuf::from);
    let beside = || {
        let parent = output?.parent()?;
        Some(if parent.as_str().is_empty() { Utf8PathBuf::from(".") } else { parent.to_owned() })
    };
    let system = || Utf8PathBuf::from_path_buf(std::env::temp_dir()).unwrap_or_else(|_| Utf8PathBuf::from("."));
    let parent = named.or_else(beside).unwrap_or_else(system);
    let unknown = |source| StoreError::Spool { url: parent.to_string(), source };
    // Paths of a config are relative to its own folder: those of the spool are not.
    let parent = camino::absolute_utf8(&parent).map_err(unknown)?;
    let name = output.and_then(|output| output.file_name()).unwrap_or(ELSEWHERE);
    Ok(Spool::new(&parent, name)?)
}

/// URLs among the paths of a config.
fn urls(settings: &Settings) -> impl Iterator<Item = &str> {
    let tables = TableName::ALL.into_iter().filter_map(|table| settings.inputs.table(table));
    let paths = tables.flat_map(|table| table.paths.iter().map(String::as_str));
    let earlier = match settings.equity.bridge.as_ref().map(|bridge| &bridge.from) {
        Some(BridgeFrom::Run(folder)) => Some(folder.as_str()),
        _ => None,
    };
    paths.chain(earlier).filter(|path| is_url(path))
}

/// A URL that the config's reader has accepted.
fn located(url: &str) -> Result<Location, StoreError> {
    Location::parse(url).map_err(|error| StoreError::Refused { url: "a URL".to_owned(), reason: error.to_string() })
}

fn refuse_inputs(settings: &Settings, output: &Location) -> Result<(), StoreError> {
    for url in urls(settings) {
        let input = located(url)?;
        if input.meets(output) {
            return Err(StoreError::Overlap { url: output.url(), input: input.url() });
        }
    }
    Ok(())
}

/// What is to be fetched, each object once.
struct Fetch<'a> {
    stores: &'a Stores,
    spool: &'a Spool,
    depth: Depth,
    wanted: BTreeMap<Object, Depth>,
    /// What was listed already, so that two configs of one table see one state of it.
    listed: BTreeMap<(Location, &'static [&'static str]), Vec<Object>>,
}

impl Fetch<'_> {
    /// Puts files of the spool into the place of URLs.
    fn replace(&mut self, settings: &mut Settings) -> Result<(), RunError> {
        for (table, setting) in settings.inputs.tables_mut() {
            let mut paths = Vec::with_capacity(setting.paths.len());
            for path in &setting.paths {
                if is_url(path) {
                    paths.extend(self.files(table, path, setting.format)?);
                } else {
                    paths.push(path.clone());
                }
            }
            setting.paths = paths;
        }
        if let Some(bridge) = &mut settings.equity.bridge
            && let BridgeFrom::Run(folder) = &mut bridge.from
            && is_url(folder)
        {
            *folder = self.earlier_run(folder)?;
        }
        match &mut settings.scenario {
            Some(scenario) => self.replace(&mut scenario.settings),
            None => Ok(()),
        }
    }

    /// Where the objects that a URL names will lie.
    fn files(&mut self, table: TableName, url: &str, format: Format) -> Result<Vec<String>, RunError> {
        let place = (located(url)?, extensions(format));
        if !self.listed.contains_key(&place) {
            let found = self.stores.find(&place.0, place.1)?;
            self.listed.insert(place.clone(), found);
        }
        let found = &self.listed[&place];
        if found.is_empty() {
            return Err(ReadError::NoFile { table: table.as_str(), path: url.to_owned() }.into());
        }
        // A CSV has no footer that could be read alone.
        let depth = if format == Format::Csv { Depth::Whole } else { self.depth };
        self.wanted.extend(found.iter().map(|object| (object.clone(), depth)));
        let root = place.0.at(place.0.fixed()).spooled(self.spool.path());
        let path = |object: &Object| {
            let path = object.location.spooled(self.spool.path());
            // Folders below what the URL names are partitions, as on a disk.
            let below = path.strip_prefix(&root).ok().filter(|below| !below.as_str().is_empty());
            below.map_or(path.to_string(), |below| format!("{root}{ROOT}{below}"))
        };
        Ok(found.iter().map(path).collect())
    }

    /// The folder of an earlier run, by the pointer of its output or by its own name.
    fn earlier_run(&mut self, url: &str) -> Result<String, RunError> {
        let output = located(url)?;
        let run = match self.stores.current(&output)? {
            Some(pointer) => output.join(&pointer.run),
            None => output,
        };
        let manifest = self.stores.find(&run.join(MANIFEST), &["json"])?;
        if manifest.is_empty() {
            return Err(StoreError::NotFound { url: run.url(), what: "output of whalecurve" }.into());
        }
        let values = self.stores.find(&run.join("customer_value"), extensions(Format::Parquet))?;
        self.wanted.extend(manifest.into_iter().map(|object| (object, Depth::Whole)));
        self.wanted.extend(values.into_iter().map(|object| (object, self.depth)));
        Ok(run.spooled(self.spool.path()).into_string())
    }
}
