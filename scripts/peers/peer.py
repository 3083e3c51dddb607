"""What the peers share: memory of this process alone, and one line of JSON."""

import json
import resource
import sys
from pathlib import Path


def peak_rss_mb() -> float:
    """Largest resident memory of this process so far, in MiB.

    VmHWM starts anew when a process is replaced by exec; ru_maxrss, the fallback, would keep the parent's.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024


def report(values: dict) -> None:
    """Prints the measurement as one line of JSON; decimals and dates as text, so that no digit is lost."""
    print(json.dumps(values, default=str))
