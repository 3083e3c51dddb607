//! The memory that a run uses and may use.

use std::fs;

use crate::pipeline::clock::told_bytes;

/// Of what the system allows, a run uses so much at most: what lies between two glances must fit into the rest.
const OF_ALLOWED: (u64, u64) = (9, 10);

/// Bytes that a process may use: what `--memory` says, and nine tenths of what the control group and `ulimit -v` allow.
pub(super) fn limit(asked: Option<u64>) -> Option<u64> {
    let allowed = [control_group(), address_space()].into_iter().flatten().min();
    [asked, allowed.map(|bytes| bytes / OF_ALLOWED.1 * OF_ALLOWED.0)].into_iter().flatten().min()
}

/// Bytes that `ulimit -v` leaves for resident memory: beyond it an allocation ends the process, and nothing can be told any more. It holds
/// the program's and its libraries' files whole, and only pages of them that were touched are resident.
fn address_space() -> Option<u64> {
    let allowed = soft_limit(&fs::read_to_string("/proc/self/limits").ok()?, "Max address space")?;
    let told = |line: &str| told_bytes("/proc/self/status", line);
    let files = told("VmExe:")? + told("VmLib:")?;
    Some(allowed.saturating_sub(files.saturating_sub(told("RssFile:")?)))
}

/// A limit of a process as `/proc/self/limits` has it; `None` where it has none.
fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    limits.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// Resident memory of this process, bytes; `None` where the system does not tell.
pub(super) fn resident() -> Option<u64> {
    told_bytes("/proc/self/status", "VmRSS:")
}

/// Bytes that are free on this machine.
pub(super) fn available() -> Option<u64> {
    told_bytes("/proc/meminfo", "MemAvailable:")
}

/// Bytes that the process's control group allows, version 2 or 1, its ancestors included.
pub(super) fn control_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let limits = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        };
        let counts = controllers.is_empty() || controllers.split(',').any(|name| name == "memory");
        let ancestors = std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(above, _)| above));
        ancestors.filter(move |_| counts).map(move |path| format!("{root}{path}/{file}")).collect::<Vec<String>>()
    });
    let read = |file: String| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    // Version 1 says "no limit" by a number beyond any memory.
    limits.filter_map(read).filter(|bytes| *bytes < 1 << 60).min()
}

/// Whole MiB, rounded up.
pub(super) fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// Bytes in `512MiB`, `4GiB`, `1.5GB` or a plain number.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size such as 512MiB, 4GiB or 1.5GB".to_owned();
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "kb" => 1e3,
        "m" | "mib" => 1024.0 * 1024.0,
        "mb" => 1e6,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "gb" => 1e9,
        "t" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "tb" => 1e12,
        _ => return Err(wrong()),
    };
    let bytes = number * unit;
    if (1.0..1e18).contains(&bytes) { Ok(bytes as u64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_and_decimal_units() {
        let good = [("512MiB", 512 << 20), ("1.5 GB", 1_500_000_000), ("4g", 4 << 30), ("1024", 1024), ("2 kB", 2000)];
        for (text, bytes) in good {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "4 parsecs", "-1GiB", "0", "1e3", "NaN", "1.2.3GB"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_asked_bounds_a_run_also_where_the_system_allows_more() {
        assert_eq!(limit(Some(1)), Some(1));
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            20000                524288               files     \n\
                      Max address space         204800000            unlimited            bytes     \n";
        assert_eq!(soft_limit(limits, "Max address space"), Some(204_800_000));
        assert_eq!(soft_limit(&limits.replace("204800000", "unlimited"), "Max address space"), None);
        assert!(resident().is_none_or(|bytes| bytes > 1 << 20));
    }
}
