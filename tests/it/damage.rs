//! Damage at random: files that are cut or have bits turned over. Found, or harmless; never a panic, never another result.

use std::fs;

use camino::Utf8Path;
use whalecurve::{publish::check::check, read::footer::check as check_footer, schema::inputs::Limits};

use crate::{
    commit::{self, trials},
    support::{Job, cents, days, integers, text},
};

/// Places without an end, the same in every run (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }
}

#[test]
fn of_a_thousand_bits_turned_over_in_an_output_every_one_is_found() {
    let job = commit::job();
    job.run(&[]);
    let output = job.path("out");
    let folder = Utf8Path::from_path(&output).unwrap();
    let mut files = Vec::new();
    for dataset in fs::read_dir(&output).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        files.extend(fs::read_dir(dataset).unwrap().map(|entry| entry.unwrap().path()));
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    files.sort();
    assert!(check(folder).unwrap().is_ok());
    let mut dice = Dice(1);
    for trial in 0..trials(1_000).max(1_000) {
        let file = &files[dice.below(files.len())];
        let whole = fs::read(file).unwrap();
        let (place, bit) = (dice.below(whole.len()), dice.below(8));
        let mut changed = whole.clone();
        changed[place] ^= 1 << bit;
        fs::write(file, changed).unwrap();
        let found = check(folder).unwrap();
        assert!(found.is_err(), "trial {trial}: bit {bit} of byte {place} of {}", file.display());
        fs::write(file, whole).unwrap();
    }
    assert!(check(folder).unwrap().is_ok());
}

/// A ledger with row groups, several pages, dictionaries and texts.
fn ledger(job: &Job) -> Vec<u8> {
    let lines = 0..3_000_i64;
    let names: Vec<String> = lines.clone().map(|line| format!("customer {}", line % 90)).collect();
    job.parquet_in_groups(
        "ledger.parquet",
        vec![
            ("customer", text(names.iter().map(String::as_str))),
            ("day", days(lines.clone().map(|line| (line % 300) as i32))),
            ("amount", cents(lines.clone().map(|line| 1_000 + line * 7 % 900))),
            ("quantity", integers(lines.map(|line| line % 5))),
        ],
        1_000,
    );
    fs::read(job.path("ledger.parquet")).unwrap()
}

/// A footer check of any bytes ends, with an error or without.
fn footer(job: &Job, bytes: &[u8]) -> bool {
    let path = job.path("ledger.parquet");
    fs::write(&path, bytes).unwrap();
    check_footer(Utf8Path::from_path(&path).unwrap(), &Limits::default()).is_ok()
}

#[test]
fn a_ledger_cut_at_every_512th_byte_is_refused_by_its_footer() {
    let job = Job::new("");
    let whole = ledger(&job);
    assert!(footer(&job, &whole));
    let mut cuts = 0;
    for length in (0..whole.len()).step_by(512).chain([whole.len() - 1, whole.len() - 4, whole.len() - 8]) {
        assert!(!footer(&job, &whole[..length]), "{length} of {} bytes", whole.len());
        cuts += 1;
    }
    assert!(cuts > 20, "{cuts}");
}

#[test]
fn a_footer_with_any_byte_changed_is_refused_or_read_and_never_a_panic() {
    let job = Job::new("");
    let whole = ledger(&job);
    let length = u32::from_le_bytes(whole[whole.len() - 8..whole.len() - 4].try_into().unwrap()) as usize;
    let start = whole.len() - 8 - length;
    let (mut refused, mut read) = (0, 0);
    for place in start..whole.len() {
        // One bit in the short form, each in the long one.
        for bit in 0..if trials(1) > 1 { 8 } else { 1 } {
            let mut changed = whole.clone();
            changed[place] ^= 1 << ((place + bit) % 8);
            if footer(&job, &changed) { read += 1 } else { refused += 1 }
        }
    }
    assert!(refused > length / 4 && read > 0, "{refused} refused, {read} read of {length}");
}

#[test]
fn bits_turned_over_in_a_ledger_end_in_a_result_or_one_clear_line() {
    let config = "version: 1\ncurrency: EUR\nas_of: 1971-12-31\noutputs: [customer_profit_total]\ninputs:\n  transactions: {path: ledger.parquet, columns: {customer_id: customer, date: day, amount: amount, quantity: quantity}}\n";
    let job = Job::new(config);
    let whole = ledger(&job);
    let mut dice = Dice(2);
    let (mut found, mut unseen) = (0, 0);
    for trial in 0..trials(60).max(60) {
        let mut changed = whole.clone();
        let place = dice.below(whole.len());
        changed[place] ^= 1 << dice.below(8);
        fs::write(job.path("ledger.parquet"), changed).unwrap();
        let done = job.try_run(&["--threads", "2"]);
        let told = job.without_folder(&done.stderr);
        assert!(!told.contains("panicked"), "trial {trial}: {told}");
        match done.status.code() {
            Some(0) => unseen += 1,
            Some(1 | 3) => {
                found += 1;
                assert_eq!(told.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{told}");
            }
            other => unreachable!("trial {trial}, byte {place}: exit code {other:?}: {told}"),
        }
    }
    // A page without a checksum cannot tell a changed amount from another: the manifest's input digests can.
    assert!(found > 0, "{found} found, {unseen} not");
}
