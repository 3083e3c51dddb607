"""What must hold of inputs and outputs in object stores, shown on emulators.

    stores.py WHALECURVE AZURITE_BLOB

Every call is searched for the credentials that it was given, and for the names of spool folders.
"""

import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import boto3
import duckdb
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

ROOT = Path(__file__).resolve().parents[2]
CDNOW = ROOT / "datasets" / "cdnow"
CANARIES = {
    "AWS_ACCESS_KEY_ID": "CANARYKEYID",
    "AWS_SECRET_ACCESS_KEY": "canary/secret+key",
    "AWS_SESSION_TOKEN": "canary-session-token",
}
BUCKET = "ledgers"


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        pass


class S3:
    """moto behind hooks, which see every request of whalecurve and may answer it."""

    def __init__(self):
        self.application = DomainDispatcherApplication(create_backend_app)
        self.before, self.after, self.seen = [], [], []
        self.server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=Quiet)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.client = boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )

    def __call__(self, environ, start_response):
        if not environ.get("HTTP_USER_AGENT", "").startswith("whalecurve/"):
            return self.application(environ, start_response)
        method, path, query = environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        self.seen.append((method, path, query, environ.get("HTTP_RANGE")))
        for hook in list(self.before):
            answer = hook(method, path, query)
            if answer is not None:
                # What is left unread would be taken for the next request.
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                status, body = answer
                start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
                return [body]
        answer = self.application(environ, start_response)
        for hook in list(self.after):
            hook(method, path, query)
        return answer

    def hooked(self, before=None, after=None):
        return Hooked(self, before, after)

    def put(self, key, content):
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def get(self, key):
        return self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def keys(self, prefix):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def upload(self, folder, prefix):
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file():
                self.put(f"{prefix}/{file.relative_to(folder)}", file.read_bytes())

    def pointer(self, prefix):
        return json.loads(self.get(f"{prefix}/_CURRENT.json"))


class Hooked:
    def __init__(self, s3, before, after):
        self.s3, self.hooks = s3, (before, after)

    def __enter__(self):
        self.s3.before += [self.hooks[0]] * (self.hooks[0] is not None)
        self.s3.after += [self.hooks[1]] * (self.hooks[1] is not None)

    def __exit__(self, *_):
        self.s3.before.clear()
        self.s3.after.clear()


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def result(self):
        return json.loads(self.out.strip().splitlines()[-1])


class Whalecurve:
    def __init__(self, binary, scratch, environment):
        self.binary, self.scratch, self.environment = binary, scratch, environment
        self.temporary = scratch / "temporary"
        self.temporary.mkdir(exist_ok=True)

    def start(self, *arguments, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AZURE", "OPENLINEAGE"))}
        everything = {**clean, "TMPDIR": str(self.temporary), **self.environment, **environment}
        return subprocess.Popen(
            [self.binary, *map(str, arguments)], env=everything, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def ended(self, process, secrets=(), alone=True):
        out, err = process.communicate(timeout=300)
        for secret in [*CANARIES.values(), ".spool-", *secrets]:
            assert secret not in out + err, f"{secret} is told: {out}{err}"
        assert not alone or not list(self.temporary.iterdir()), "a spool is left"
        return Done(process.returncode, out, err)

    def __call__(self, *arguments, code=0, secrets=(), **environment):
        done = self.ended(self.start(*arguments, **environment), secrets)
        assert done.code == code, f"{arguments}: exit code {done.code}, expected {code}\n{done.err}"
        return done


def say(what):
    print(f"== {what}", file=sys.stderr, flush=True)


def config_of(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def cdnow(folder, ledger, more=""):
    text = (CDNOW / "whalecurve.yaml").read_text().replace("path: transactions.parquet", f"path: {ledger}")
    return config_of(folder / "whalecurve.yaml", text + more)


def same_inputs(whalecurve, scratch, upload, root):
    """Local files and objects give one digest: one file, a folder with partitions, globs, and a company of many tables."""
    (scratch / "parts").mkdir()
    duckdb.sql(
        f"COPY (SELECT *, year(date) * 100 + month(date) AS part FROM '{CDNOW}/transactions.parquet') "
        f"TO '{scratch}/parts' (FORMAT parquet, PARTITION_BY (part))"
    )
    (scratch / "parts" / "_hidden.parquet").write_text("no Parquet")
    upload(CDNOW, "cdnow")
    upload(scratch / "parts", "parts")
    for ledger in ["cdnow/transactions.parquet", "parts", "parts/part=1997*/*.parquet", "parts/**/*.parquet"]:
        place = CDNOW / "transactions.parquet" if ledger.startswith("cdnow") else scratch / ledger
        here = whalecurve("run", cdnow(scratch / "here", place), "--output", scratch / "out").result
        config = cdnow(scratch / "there", f"{root}/{ledger}")
        there = whalecurve("run", config, "--output", scratch / "out2").result
        assert here["result_digest"] == there["result_digest"], ledger
        manifest = json.loads((scratch / "out2" / "run_manifest.json").read_text())
        assert all(file["file"].startswith(f"{root}/") for file in manifest["inputs"]), manifest["inputs"]
        assert ".spool-" not in json.dumps(manifest)
        plans = [whalecurve("plan", config).out for config in (scratch / "here/whalecurve.yaml", config)]
        assert plans[0].splitlines()[:4] == plans[1].splitlines()[:4], plans
    whalecurve("generate", "--customers", "4000", "--transactions", "50000", scratch / "company")
    upload(scratch / "company", "company")
    text = (scratch / "company" / "whalecurve.yaml").read_text()
    config = config_of(scratch / "remote" / "whalecurve.yaml", re.sub(r"path: (?!/)", f"path: {root}/company/", text))
    here = whalecurve("run", scratch / "company" / "whalecurve.yaml", "--output", scratch / "out3").result
    there = whalecurve("run", config, "--output", scratch / "out4").result
    assert here["result_digest"] == there["result_digest"]
    assert [name for name in os.listdir(scratch) if name.startswith(".")] == [], os.listdir(scratch)
    return here["result_digest"], config


def outputs(whalecurve, scratch, root, config):
    """Results in a store are those of a folder; `verify`, `plan` and `clean` know them there."""
    ledger = CDNOW / "transactions.parquet"
    here = whalecurve("run", cdnow(scratch / "here", ledger), "--output", scratch / "out").result
    config = cdnow(scratch / "here", f"{root}/cdnow/transactions.parquet")
    place = f"{root}/outputs/first"
    assert "where there are no results" in whalecurve("plan", config, "--output", place).out
    there = whalecurve("run", config, "--output", place).result
    assert there["result_digest"] == here["result_digest"] and there["output"] == place
    assert there["run"] == f"{place}/run=000001-{there['result_digest'][:12]}", there
    assert here["result_digest"] in whalecurve("plan", config, "--output", place).out
    again = whalecurve("run", config, "--output", place).result
    assert again["run"] == f"{place}/run=000002-{there['result_digest'][:12]}"
    for url in [place, there["run"], again["run"]]:
        found = whalecurve("verify", url).result
        assert found["result_digest"] == here["result_digest"] and found["sums"] > 0, found
    third = whalecurve("run", config, "--output", place)
    assert "1 older runs removed" in third.err, third.err
    whalecurve("verify", there["run"], code=1)
    assert whalecurve("clean", place).result["removed"] == []
    assert whalecurve("clean", place, "--versions").result["removed"] == [again["run"].rsplit("/", 1)[1]]
    assert whalecurve("verify", place).result["result_digest"] == here["result_digest"]
    whalecurve("verify", f"{root}/outputs", code=1)
    refused = whalecurve("run", cdnow(scratch / "here", f"{root}/outputs"), "--output", place, code=2).err
    assert "lie within each other" in refused, refused
    return here["result_digest"]


def two_at_once(whalecurve, config, place):
    first, second = (whalecurve.start("run", config, "--output", place, "--seed", seed) for seed in ("1", "2"))
    ended = [whalecurve.ended(process, alone=False) for process in (first, second)]
    assert not list(whalecurve.temporary.iterdir()), "a spool is left"
    assert sorted(done.code for done in ended) == [0, 75], [done.err for done in ended]
    lost = next(done for done in ended if done.code == 75)
    assert "another run has replaced this output meanwhile" in lost.err and "try again" in lost.err, lost.err
    won = next(done for done in ended if done.code == 0)
    assert whalecurve("verify", place).result["result_digest"] == won.result["result_digest"]


class Barrier:
    """Lets nobody write the pointer before both runs have read it."""

    def __init__(self):
        self.reads, self.both = 0, threading.Event()

    def __call__(self, method, path, _):
        if path.endswith("/_CURRENT.json"):
            if method == "GET":
                self.reads += 1
                if self.reads == 2:
                    self.both.set()
            elif method == "PUT":
                assert self.both.wait(60)


def orphans(s3, prefix):
    """Folders of runs that the pointer does not know."""
    pointer = s3.pointer(prefix)
    runs = {key.split("/")[2] for key in s3.keys(prefix) if "run=" in key}
    return runs - {pointer["run"], *pointer["kept"]}


def killed(whalecurve, s3, scratch, config):
    """kill -9 at objects of an upload, before and after the pointer: readers have the old run or the new one, whole."""
    place, prefix = f"s3://{BUCKET}/outputs/killed", "outputs/killed"
    old = whalecurve("run", config, "--output", place, "--seed", "1").result
    objects = len(s3.pointer(prefix)["files"])
    for at in [1, 2, objects // 2, objects, "before the pointer", "after the pointer"]:
        count, hit, process = [0], threading.Event(), []

        def kill(method, path, _, at=at):
            if method != "PUT" or f"/{prefix}/" not in path or hit.is_set():
                return None
            pointer = path.endswith("/_CURRENT.json")
            count[0] += not pointer
            if (at == count[0] and not pointer) or (pointer and isinstance(at, str)):
                hit.set()
                process[0].kill()
                process[0].wait()
            return ("503 Slow Down", b"") if hit.is_set() and at != "after the pointer" else None

        before, after = (None, kill) if at == "after the pointer" else (kill, None)
        with s3.hooked(before, after):
            process.append(whalecurve.start("run", config, "--output", place, "--seed", "2"))
            process[0].wait(300)
            process[0].communicate()
        assert hit.is_set() and process[0].returncode == -signal.SIGKILL, f"{at}: not killed"
        left = list(whalecurve.temporary.iterdir())
        assert len(left) == 1, "the spool of a killed run"
        # The next command clears it away.
        found = whalecurve("verify", place).result["result_digest"]
        new = at == "after the pointer"
        assert (found == old["result_digest"]) != new, at
        # What was uploaded, or replaced, and is of no use; at the first object there is none yet.
        assert bool(orphans(s3, prefix)) == (at != 1), (at, orphans(s3, prefix))
        back = whalecurve("run", config, "--output", place, "--seed", "1").result
        assert back["result_digest"] == old["result_digest"]
        assert not orphans(s3, prefix), (at, orphans(s3, prefix))


def signalled(whalecurve, s3, config):
    place, prefix = f"s3://{BUCKET}/outputs/killed", "outputs/killed"
    before = s3.get(f"{prefix}/_CURRENT.json")
    for where in ["GET", "PUT"]:
        hit, process = threading.Event(), []

        def terminate(method, path, _, where=where):
            wanted = path.endswith("transactions.parquet") if where == "GET" else f"/{prefix}/run=" in path
            if method == where and wanted and not hit.is_set():
                hit.set()
                process[0].send_signal(signal.SIGTERM)
                time.sleep(0.5)

        with s3.hooked(terminate):
            process.append(whalecurve.start("run", config, "--output", place, "--seed", "2"))
            done = whalecurve.ended(process[0])
        assert hit.is_set() and done.code == 143, (where, done.code, done.err)
        assert s3.get(f"{prefix}/_CURRENT.json") == before


def replaced(whalecurve, s3, config, scratch):
    content = (CDNOW / "transactions.parquet").read_bytes()
    hit = threading.Event()

    def swap(method, path, _):
        if method == "GET" and path.endswith("cdnow/transactions.parquet") and not hit.is_set():
            hit.set()
            s3.put("cdnow/transactions.parquet", content[:-1] + b"X")

    with s3.hooked(swap):
        done = whalecurve("run", config, "--output", scratch / "changed", code=1)
    assert hit.is_set() and f"s3://{BUCKET}/cdnow/transactions.parquet: changed while it was fetched" in done.err, done.err
    assert not (scratch / "changed").exists()
    # What is there now is damaged, and is called by its URL.
    done = whalecurve("run", config, "--output", scratch / "changed", code=1)
    assert f"s3://{BUCKET}/cdnow/transactions.parquet: not a readable Parquet file" in done.err, done.err
    s3.put("cdnow/transactions.parquet", content)


def reader_in_a_loop(whalecurve, s3, config):
    """While runs replace an output, whoever follows the pointer finds every file of one run, whole."""
    place, prefix = f"s3://{BUCKET}/outputs/read", "outputs/read"
    # A reader is promised the runs that are kept: as many as may be committed while it reads.
    keeping = config.with_name("keeping.yaml")
    keeping.write_text(config.read_text() + "\nkeep_versions: 8\n")
    config = keeping
    whalecurve("run", config, "--output", place)
    stop, seen, wrong = threading.Event(), set(), []

    def read():
        while not stop.is_set():
            pointer = s3.pointer(prefix)
            seen.add(pointer["run"])
            for file in pointer["files"]:
                try:
                    found = s3.client.head_object(Bucket=BUCKET, Key=f"{prefix}/{pointer['run']}/{file['path']}")
                    if (found["ContentLength"], found["ETag"].strip('"')) != (file["bytes"], file["etag"]):
                        wrong.append(file)
                except Exception as error:
                    wrong.append(f"{pointer['run']}/{file['path']}: {error}")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for seed in range(2, 8):
        whalecurve("run", config, "--output", place, "--seed", seed)
    stop.set()
    for reader in readers:
        reader.join()
    assert not wrong and len(seen) >= 3, (wrong[:3], seen)


def documented_reading(s3, scratch):
    """The documentation's DuckDB session, on a copy of the objects: its extension for S3 is not at hand everywhere."""
    copy, prefix = scratch / "copy", "outputs/read"
    for key in s3.keys(f"{prefix}/"):
        file = copy / key.removeprefix(f"{prefix}/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(s3.get(key))
    documented = (ROOT / "docs" / "operations.md").read_text().split("```sql\n-- DuckDB; the pointer")[1].split("```")[0]
    session = "-- " + documented.replace("s3://company-results/customers", str(copy))
    rows = [duckdb.execute(statement) for statement in duckdb.extract_statements(session)][-1].fetchall()
    here = duckdb.sql(f"SELECT count(*) FROM '{scratch}/out/customer_profit_total/*.parquet'").fetchone()[0]
    assert len(rows) == here > 0, (len(rows), here)


def troubles(whalecurve, s3, config, scratch):
    slow, refused = [0], [0]

    def throttle(method, path, _):
        if path.endswith("transactions.parquet") and slow[0] < 3:
            slow[0] += 1
            return "503 Slow Down", b"<Error><Code>SlowDown</Code></Error>"

    with s3.hooked(throttle):
        whalecurve("run", config, "--output", scratch / "patient")
    assert slow[0] == 3, "nothing was throttled"

    def always(method, path, _):
        refused[0] += 1
        return "503 Slow Down", b"<Error><Code>SlowDown</Code></Error>"

    since = time.monotonic()
    with s3.hooked(always):
        done = whalecurve("run", config, "--output", scratch / "never", code=75)
    assert "the store is not available: 503" in done.err and "hint: try again" in done.err, done.err
    assert 3 <= refused[0] <= 20 and time.monotonic() - since < 70, refused
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = whalecurve("run", config, "--output", scratch / "never", code=75, AWS_ENDPOINT_URL=nobody)
    assert "it cannot be reached" in done.err, done.err
    done = whalecurve("run", config, "--output", scratch / "never", code=1, AWS_ALLOW_HTTP="false")
    assert "AWS_ALLOW_HTTP=true allows" in done.err, done.err
    secret = CANARIES["AWS_SECRET_ACCESS_KEY"]
    body = f"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>CANARYKEYID</AWSAccessKeyId>{secret}</Error>".encode()
    with s3.hooked(lambda *_: ("403 Forbidden", body)):
        done = whalecurve("run", config, "--output", scratch / "never", code=1)
    assert "access denied (403" in done.err and "check the credentials" in done.err, done.err
    for ledger, told in [
        ("s3://nobodys/x/*.parquet", "s3://nobodys: there is no such bucket"),
        (f"s3://{BUCKET}/nothing/*.parquet", "transactions: `s3://ledgers/nothing/*.parquet` names no file"),
        (f"s3://{BUCKET}/nothing.parquet", "names no file"),
    ]:
        done = whalecurve("run", cdnow(scratch / "wrong", ledger), "--output", scratch / "never", code=1)
        assert told in done.err, done.err
    unconditional = b"<Error><Code>NotImplemented</Code></Error>"

    def plain(method, path, _):
        return ("501 Not Implemented", unconditional) if method == "PUT" and path.endswith("_CURRENT.json") else None

    with s3.hooked(plain):
        done = whalecurve("run", config, "--output", f"s3://{BUCKET}/outputs/plain", code=1)
    assert "the store refused: 501 NotImplemented" in done.err and not s3.keys("outputs/plain/"), done.err
    narrow = cdnow(scratch / "wrong", f"s3://{BUCKET}/cdnow/transactions.parquet", "limits: {max_columns: 1}\n")
    done = whalecurve("run", narrow, "--output", scratch / "never", code=3)
    assert f"s3://{BUCKET}/cdnow/transactions.parquet: " in done.err and "limits.max_columns" in done.err, done.err
    done = whalecurve("run", config, "--output", "s3://nobodys/results", code=1)
    assert "there is no such bucket" in done.err, done.err
    hidden = "hunter2-canary"
    for ledger in [f"s3://user:{hidden}@b/x", f"s3://{hidden}@b/x", f"s3://b/x?X-Amz-Signature={hidden}", f"https://u:{hidden}@h/x",
                   f"az://c/x?sv=1&sig={hidden}", "gs://b/x"]:
        done = whalecurve("check", cdnow(scratch / "wrong", f'"{ledger}"'), code=2, secrets=[hidden])
        assert "hint:" in done.err, done.err
        done = whalecurve("run", config, "--output", ledger, code=2, secrets=[hidden])
    assert not (scratch / "never").exists()


def damaged_output(whalecurve, s3, config):
    """An output that is not what was written is told, file by file."""
    place, prefix = f"s3://{BUCKET}/outputs/damaged", "outputs/damaged"
    run = whalecurve("run", config, "--output", place).result["run"].split(f"{BUCKET}/")[1]
    whalecurve("verify", place)
    key = f"{run}/customer_value/part-00000.parquet"
    content = s3.get(key)
    s3.put(key, content[:100] + bytes([content[100] ^ 1]) + content[101:])
    done = whalecurve("verify", place, code=3)
    assert "customer_value/part-00000.parquet: is not the object that was committed" in done.err, done.err
    assert "the BLAKE3 digest is another" in done.err, done.err
    s3.client.delete_object(Bucket=BUCKET, Key=key)
    whalecurve("verify", place, code=3)
    whalecurve("run", config, "--output", place)
    run = s3.pointer(prefix)["run"]
    s3.put(f"{prefix}/{run}/customer_value/more.parquet", content)
    assert "more.parquet: is not in the manifest" in whalecurve("verify", place, code=3).err


def other_commands(whalecurve, scratch, config, upload, root):
    """What reads a config reads it from a store as well; names of objects may be odd."""
    whalecurve("check", config)
    place = f"{root}/outputs/validation"
    whalecurve("validate", config, "--holdout", "13w", "--output", place)
    whalecurve("verify", place)
    whalecurve("compare", config, "--methods", "config,average", "--output", f"{root}/outputs/compare")
    whalecurve("verify", f"{root}/outputs/compare")
    whalecurve("fit", config, "--model", scratch / "model.json")
    whalecurve("project", config, "--model", scratch / "model.json", "--output", f"{root}/outputs/projected")
    whalecurve("verify", f"{root}/outputs/projected")
    customer = duckdb.sql(f"SELECT min(customer_id) FROM '{CDNOW}/transactions.parquet'").fetchone()[0]
    assert whalecurve("explain", config, "--customer", customer).out
    whalecurve("init", f"{root}/cdnow/transactions.parquet", code=2)
    odd = scratch / "odd names" / "a=é %20+b"
    odd.mkdir(parents=True)
    (odd / "x y.parquet").write_bytes((CDNOW / "transactions.parquet").read_bytes())
    upload(scratch / "odd names", "odd names")
    plain = whalecurve("run", config, "--output", scratch / "plain").result["result_digest"]
    for ledger in ["odd names", "odd names/a=*/x?y.parquet"]:
        done = whalecurve("run", cdnow(scratch / "odd", f'"{root}/{ledger}"'), "--output", scratch / "out").result
        assert done["result_digest"] == plain, ledger


def earlier_run(whalecurve, scratch):
    """A bridge begins with an earlier run, in a folder or in a store by its pointer."""
    ledger, early = CDNOW / "transactions.parquet", scratch / "early.yaml"
    text = cdnow(scratch / "here", ledger).read_text()
    early.write_text(text.replace("as_of: 1997-09-30", "as_of: 1997-06-30"))
    place, folder = f"s3://{BUCKET}/outputs/early", scratch / "early"
    digests = []
    for output in [place, folder]:
        whalecurve("run", early, "--output", output)
        config = cdnow(scratch / "here", ledger, f"equity:\n  bridge: {{from: \"{output}\"}}\n")
        digests.append(whalecurve("run", config, "--output", scratch / "bridged").result["result_digest"])
    assert digests[0] == digests[1]
    bridge = duckdb.sql(f"SELECT count(*) FROM '{scratch}/bridged/equity_bridge/*.parquet'").fetchone()[0]
    assert bridge > 1, "no bridge was built"


class Receiver(http.server.BaseHTTPRequestHandler):
    events, keys, silent = [], [], False

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Receiver.silent:
            time.sleep(8)
        Receiver.events.append((self.path, json.loads(body)))
        Receiver.keys.append(self.headers.get("Authorization"))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_):
        pass


def lineage(whalecurve, s3, config, scratch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url, key = f"http://127.0.0.1:{server.server_port}", "canary-lineage-key"
    there = {"OPENLINEAGE_URL": url, "OPENLINEAGE_API_KEY": key, "secrets": [key]}
    place, file = f"s3://{BUCKET}/outputs/lineage", scratch / "lineage.ndjson"
    whalecurve("run", config, "--output", place, "--lineage-file", file, **there)
    assert [(path, event["eventType"]) for path, event in Receiver.events] == [
        ("/api/v1/lineage", "START"), ("/api/v1/lineage", "COMPLETE")], Receiver.events
    assert [event for _, event in Receiver.events] == [json.loads(line) for line in file.read_text().splitlines()]
    assert set(Receiver.keys) == {f"Bearer {key}"}
    complete = Receiver.events[1][1]
    assert [(found["namespace"], found["name"]) for found in complete["inputs"]] == [
        (f"s3://{BUCKET}", "cdnow/transactions.parquet")], complete["inputs"]
    assert all(found["namespace"] == f"s3://{BUCKET}" for found in complete["outputs"]) and complete["outputs"]
    text = file.read_text()
    assert ".spool-" not in text and not any(secret in text for secret in [*CANARIES.values(), key])
    whalecurve("run", cdnow(scratch / "wrong", f"s3://{BUCKET}/nothing.parquet"), "--output", place, code=1, **there)
    assert [event["eventType"] for _, event in Receiver.events[2:]] == ["START", "FAIL"]
    Receiver.silent, since = True, time.monotonic()
    done = whalecurve("run", config, "--output", place, **there)
    assert "no START event was sent: it did not answer in time" in done.err and time.monotonic() - since < 30, done.err
    server.shutdown()
    server.server_close()
    done = whalecurve("run", config, "--output", place, **{**there, "OPENLINEAGE_URL": "http://127.0.0.1:9"})
    assert "note: OPENLINEAGE_URL: no COMPLETE event was sent: it cannot be reached" in done.err, done.err
    done = whalecurve("run", config, "--output", place, **{**there, "OPENLINEAGE_URL": f"http://u:{key}@127.0.0.1:9"})
    assert "holds a user or a password" in done.err, done.err


def nothing_secret_is_stored(s3):
    for key in s3.keys(""):
        if key.endswith((".json", ".ndjson", ".svg", ".html")):
            content = s3.get(key).decode()
            assert ".spool-" not in content and "anary" not in content, key


def footers_alone(whalecurve, s3, scratch):
    """A plan fetches the end of a Parquet object, not its rows."""
    sizes = [file.stat().st_size for file in (scratch / "company").rglob("*.parquet")]
    assert max(sizes) > 200_000, f"too small to tell: {sizes}"
    del s3.seen[:]
    whalecurve("plan", scratch / "remote" / "whalecurve.yaml")
    fetched = [(path, span) for method, path, _, span in s3.seen if method == "GET" and path.endswith(".parquet")]
    assert fetched and all(span for _, span in fetched), fetched


def in_parts(s3):
    assert any(method == "POST" and "uploads" in query for method, _, query, _ in s3.seen), "nothing was sent in parts"


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def azure(binary, azurite, scratch):
    from azure.storage.blob import BlobServiceClient

    account, key, port = "ledgers", "Y2FuYXJ5LWF6dXJlLWtleQ==", free_port()
    server = subprocess.Popen(
        [azurite, "--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", str(port)],
        env={**os.environ, "AZURITE_ACCOUNTS": f"{account}:{key}"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}/{account}"
        service = BlobServiceClient(url, credential={"account_name": account, "account_key": key}, retry_total=0)
        for attempt in range(100):
            try:
                service.create_container("tables")
                break
            except Exception:
                assert server.poll() is None and attempt < 99, "azurite does not answer"
                time.sleep(0.2)
        container = service.get_container_client("tables")

        def upload(folder, prefix):
            for file in sorted(Path(folder).rglob("*")):
                if file.is_file():
                    container.upload_blob(f"{prefix}/{file.relative_to(folder)}", file.read_bytes(), overwrite=True)

        whalecurve = Whalecurve(binary, scratch, {
            "AZURE_STORAGE_ACCOUNT_NAME": account, "AZURE_STORAGE_ACCOUNT_KEY": key,
            "AZURE_STORAGE_ENDPOINT": url, "AZURE_ALLOW_HTTP": "true",
        })
        CANARIES["AZURE_STORAGE_ACCOUNT_KEY"] = key
        say("Azure: the same inputs, the same digest")
        _, company = same_inputs(whalecurve, scratch, upload, "az://tables")
        say("Azure: outputs")
        outputs(whalecurve, scratch, "az://tables", company)
        config = cdnow(scratch / "there", "az://tables/cdnow/transactions.parquet")
        say("Azure: every command, and odd names")
        other_commands(whalecurve, scratch, config, upload, "az://tables")
        say("Azure: of two runs at once one commits")
        two_at_once(whalecurve, config, "az://tables/outputs/race")
        long = f"abfss://tables@{account}.dfs.core.windows.net/cdnow/transactions.parquet"
        assert "transactions" in whalecurve("plan", cdnow(scratch / "there", long)).out
        done = whalecurve("run", cdnow(scratch / "there", "az://nobodys/x.parquet"), code=1)
        assert "az://nobodys: there is no such bucket or container" in done.err, done.err
    finally:
        server.terminate()
        server.wait()


def main():
    binary, azurite = sys.argv[1:]
    binary = str(Path(binary).resolve())
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "s3"
        scratch.mkdir()
        s3 = S3()
        s3.client.create_bucket(Bucket=BUCKET)
        whalecurve = Whalecurve(binary, scratch, {
            **CANARIES, "AWS_ENDPOINT_URL": s3.url, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
        })
        root = f"s3://{BUCKET}"
        say("S3: the same inputs, the same digest")
        _, company = same_inputs(whalecurve, scratch, s3.upload, root)
        say("S3: a plan reads footers alone")
        footers_alone(whalecurve, s3, scratch)
        say("S3: outputs")
        outputs(whalecurve, scratch, root, company)
        config = cdnow(scratch / "there", f"{root}/cdnow/transactions.parquet")
        say("S3: of two runs at once one commits")
        with s3.hooked(Barrier()):
            two_at_once(whalecurve, config, f"{root}/outputs/race")
        say("S3: kill -9 during an upload")
        killed(whalecurve, s3, scratch, config)
        say("S3: SIGTERM while fetching and uploading")
        signalled(whalecurve, s3, config)
        say("S3: an object that is replaced between listing and fetching, and a damaged one")
        replaced(whalecurve, s3, config, scratch)
        say("S3: a reader in a loop")
        reader_in_a_loop(whalecurve, s3, config)
        documented_reading(s3, scratch)
        say("S3: throttled, absent, denied, misspelt")
        troubles(whalecurve, s3, config, scratch)
        say("S3: results in parts")
        del s3.seen[:]
        whalecurve("generate", "--customers", "100000", "--transactions", "400000", scratch / "large")
        whalecurve("run", scratch / "large" / "whalecurve.yaml", "--output", f"{root}/outputs/large")
        in_parts(s3)
        whalecurve("verify", f"{root}/outputs/large")
        say("S3: a damaged output")
        damaged_output(whalecurve, s3, config)
        say("S3: every command, and odd names")
        other_commands(whalecurve, scratch, config, s3.upload, root)
        say("S3: a bridge from an earlier run")
        earlier_run(whalecurve, scratch)
        say("lineage over HTTP")
        lineage(whalecurve, s3, config, scratch)
        nothing_secret_is_stored(s3)
        if os.access(azurite, os.X_OK):
            scratch = Path(folder) / "azure"
            scratch.mkdir()
            azure(binary, azurite, scratch)
        else:
            print("NOT TESTED: Azure, for there is no azurite", file=sys.stderr)
    say("stores: all held")


if __name__ == "__main__":
    main()
