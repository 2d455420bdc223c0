"""syslog-ng into MongoDB: plain TCP, octet-counted, nobody confirms anything to the sender.

Debian's 3.38 has no `bulk()`, which came with 4.x: it inserts one by one, and many threads help.
"""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo

from bench.ingest.corpus import Corpus

PROGRAM = "syslog-ng"
COLLECTION = "syslog_ng"
START_WITHIN_S, POLL_S = 15.0, 0.01
TAG = "@[shop.pay0]"
OPTIONS_OF_3 = ("workers(8)", "workers(32)", "workers(64)")
OPTIONS_OF_4 = tuple(
    f"bulk(yes) bulk-unordered(yes) batch-lines({lines}) workers({workers})"
    for lines in (1_000, 5_000)
    for workers in (1, 2, 4)
)
CONFIGURATION = """@version: {version}
options {{ keep-hostname(yes); use-dns(no); dns-cache(no); stats-freq(0); log-fifo-size(4000000); }};
source s {{ syslog(ip("127.0.0.1") port({port}) transport("tcp") log-fetch-limit(5000)
                   log-iw-size(1000000) max-connections(10)); }};
parser p {{ json-parser(marker("{tag}") prefix(".json.")); }};
destination d {{ mongodb(uri("{uri}w=majority&journal=true") collection("{collection}") {options}
                 value-pairs(key(".json.*" rekey(shift(6))) pair("app" "$PROGRAM") pair("proc" "$PROCID")
                             pair("time" datetime("$UNIXTIME")))); }};
log {{ source(s); parser(p); destination(d); }};
"""


def version() -> str:
    """The installed version, or ""."""
    if shutil.which(PROGRAM) is None:
        return ""
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"\((\d+\.\d+)[\d.]*\)", said.stdout)
    return found[1] if found and "afmongodb" in said.stdout else ""


def configurations(of_version: str) -> tuple[str, ...]:
    """What is tried; the best one counts."""
    return OPTIONS_OF_3 if of_version.startswith("3.") else OPTIONS_OF_4


@contextmanager
def running(folder: Path, uri: str, options: str) -> Iterator[tuple[int, int]]:
    """syslog-ng with this configuration: its port and pid."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    number = version()
    text = CONFIGURATION.format(
        version="3.35" if number.startswith("3.") else number,
        port=port,
        uri=uri + ("&" if "?" in uri else "?"),
        collection=COLLECTION,
        options=options,
        tag=TAG,
    )
    files = {name: folder / name for name in ("conf", "persist", "pid", "control", "log")}
    files["conf"].write_text(text, encoding="utf-8")
    command = [PROGRAM, "--foreground", "--no-caps", "--cfgfile", str(files["conf"])]
    command += ["--persist-file", str(files["persist"]), "--pidfile", str(files["pid"])]
    command += ["--control", str(files["control"])]
    with files["log"].open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # ours
    try:
        await_open(port, process, files["log"])
        yield port, process.pid
    finally:
        process.kill()  # what it has not stored is of no use
        process.wait()


def await_open(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until it listens."""
    until_s = time.monotonic() + START_WITHIN_S
    while process.poll() is None and time.monotonic() < until_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(POLL_S)
    sys.exit(f"syslog-ng does not listen: {log.read_text(encoding='utf-8', errors='replace')[-1000:]}")


def send(port: int, uri: str, start: int, count: int) -> dict[str, Any]:
    """Send frames and wait until MongoDB has them; as the sender says it."""
    # RFC 5424 has a field for structured data, which Logplex leaves out.
    frames = bytearray()
    for number in range(start, start + count):
        message = Corpus().frame(number).partition(b" ")[2].replace(b" - @[", b" - - @[", 1)
        frames += b"%d %b" % (len(message), message)
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        collection = client.get_default_database()[COLLECTION]
        wanted = collection.estimated_document_count() + count
        cpu_s, started_s = time.process_time(), time.perf_counter()
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(frames)
            while collection.estimated_document_count() < wanted:
                time.sleep(POLL_S)
            wall_s = time.perf_counter() - started_s
    return {"wall_s": wall_s, "cpu_s": time.process_time() - cpu_s, "waits_s": []}
