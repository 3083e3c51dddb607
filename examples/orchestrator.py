#!/usr/bin/env python3
"""How an orchestrator calls a run, in the shape of an Airflow task.

    orchestrator.py CONFIG OUTPUT [--whalecurve PATH]

Airflow's `on_kill` sends SIGTERM: the run clears away what it has staged and ends with 143 within seconds. Exit codes say
what to do: 0 go on, 75 retry, 2 and 3 fail without a retry, everything else fails.
"""

import argparse
import json
import subprocess
import sys


class Retry(Exception):
    """In Airflow: AirflowException, which is retried."""


class FailWithoutRetry(Exception):
    """In Airflow: AirflowFailException."""


def execute(whalecurve: str, config: str, output: str) -> dict:
    """Runs a config; returns the last line of standard output, what Airflow would push as XCom."""
    command = [whalecurve, "run", config, "--output", output, "--log-format", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, log = process.communicate()
    except BaseException:
        process.terminate()
        process.wait(timeout=10)
        raise
    errors = [event for event in map(json.loads, log.splitlines()) if event["level"] == "error"]
    told = "; ".join(event["message"] for event in errors if "message" in event)
    if process.returncode == 0:
        return json.loads(out.splitlines()[-1])
    if process.returncode == 75:
        raise Retry(told)
    if process.returncode in (2, 3):
        raise FailWithoutRetry(told)
    raise RuntimeError(f"exit code {process.returncode}: {told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("output")
    parser.add_argument("--whalecurve", default="whalecurve")
    arguments = parser.parse_args()
    try:
        print(json.dumps(execute(arguments.whalecurve, arguments.config, arguments.output)))
    except FailWithoutRetry as error:
        sys.exit(f"not worth a retry: {error}")


if __name__ == "__main__":
    main()
