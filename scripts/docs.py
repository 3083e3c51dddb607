"""The book, tried: every command runs, every output is what it says, every link leads somewhere.

    python scripts/docs.py WHALECURVE [PAGE.md ...]

A page's blocks run in their order, in a fresh folder of their own that has `datasets/` in it:

    ```sh     runs with `whalecurve` on the PATH; must succeed
    ```sql    runs in DuckDB (a database a page); must succeed
    ```yaml file=NAME    is written to NAME
    ```text   after one of the first two: its lines stand in what that printed, in this order; `…` stands for any lines

    <!-- before: COMMAND -->   runs first: what a reader would have
    <!-- not run: WHY -->      the next block is not run
    <!-- exits: N -->          the next sh block ends with this code

Pages without any such block have their links checked alone.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")),
         *sorted((ROOT / "datasets").glob("*/README.md")), ROOT / "examples/README.md"]
BLOCK = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.M | re.S)
COMMENT = re.compile(r"<!-- (before|not run|exits): (.*?) -->", re.S)


def slug(heading):
    """The anchor that a heading gets."""
    words = re.sub(r"[`*]", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def anchors(page):
    text = BLOCK.sub("", page.read_text())
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.M)}


def links(page):
    """What is wrong with a page's links."""
    text = BLOCK.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists():
            yield f"{target} leads nowhere"
        elif anchor and found.suffix == ".md" and anchor not in anchors(found):
            yield f"{target}: no such heading"


def steps(text):
    """Comments and blocks of a page, in order."""
    found = [(match.start(), "comment", match.group(1), match.group(2).strip()) for match in COMMENT.finditer(text)]
    found += [(match.start(), "block", match.group(1) + match.group(2), match.group(3)) for match in BLOCK.finditer(text)]
    return [step[1:] for step in sorted(found)]


def missing(wanted, printed):
    """The first line of `wanted` that is not in `printed` in its place."""
    lines = iter(line.rstrip() for line in printed.splitlines())
    for line in wanted.splitlines():
        if line.strip() in ("", "…"):
            continue
        if not any(line.rstrip() == other for other in lines):
            return line
    return None


def sh(command, folder, path):
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "100"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def sql(connection, script):
    printed = ""
    for statement in re.split(r";\s*$", script, flags=re.M):
        if statement.strip():
            result = connection.sql(statement)
            printed += str(result) + "\n" if result is not None else ""
    return printed


def run(page, path):
    """Runs a page's blocks: what is wrong, and how many were run."""
    wrong, count, connection = [], 0, None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "datasets", folder / "datasets", ignore=shutil.ignore_patterns("results*", "generated"))
        printed, skip, code = None, False, 0
        for step in steps(page.read_text()):
            if step[0] == "comment":
                kind, what = step[1:]
                if kind == "before":
                    done, told = sh(what, folder, path)
                    if done != 0:
                        wrong.append(f"before: {what}: exit code {done}\n{told}")
                skip = skip or kind == "not run"
                code = int(what) if kind == "exits" else code
                continue
            language, body = step[1:]
            if language == "text":
                if printed is not None and (line := missing(body, printed)) is not None:
                    wrong.append(f"not printed, or not there: {line!r}\n--- printed:\n{printed[-3000:]}")
                continue
            printed = None
            if skip and language in ("sh", "sql"):
                skip = False
            elif language == "sh":
                count += 1
                done, printed = sh(body, folder, path)
                if done != code:
                    wrong.append(f"{body.strip()}\nexit code {done}, expected {code}\n{printed[-3000:]}")
                code = 0
            elif language == "sql":
                import duckdb
                count += 1
                connection = connection or duckdb.connect()
                here = os.getcwd()
                os.chdir(folder)
                try:
                    printed = sql(connection, body)
                except duckdb.Error as error:
                    wrong.append(f"{body.strip()}\n{error}")
                finally:
                    os.chdir(here)
            elif language.startswith("yaml file="):
                (folder / language.removeprefix("yaml file=")).write_text(body)
    return wrong, count


def main():
    whalecurve, *asked = sys.argv[1:]
    failed = False
    with tempfile.TemporaryDirectory() as path:
        (Path(path) / "whalecurve").symlink_to(Path(whalecurve).resolve())
        for page in [Path(page).resolve() for page in asked] or PAGES:
            found, count = run(page, path)
            found += links(page)
            print(f"{page.relative_to(ROOT)}: {count} blocks run, {len(found)} findings", flush=True)
            for what in found:
                print(f"  {what}")
            failed |= bool(found)
    sys.exit(failed)


if __name__ == "__main__":
    main()
