"""The whole road in one go: printed lines -> drain -> MongoDB -> scheduled SQL -> Postgres.

Starts everything in a temporary folder, types the commands that you would type, compares what arrives in
Postgres with what the application printed, and leaves nothing behind.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from rich.console import Console

HOURS = 6
SEED = 7
READY_WITHIN_S = 90.0
STOP_WITHIN_S = 60.0
LOGDRAIN = str(Path(sys.executable).with_name("logdrain"))
SHOP = str(Path(__file__).with_name("shop.py"))

# Treasure Data's own example, with the table that the shop prints to. CAST without a type is its, too.
SQL = """\
SELECT TD_SCHEDULED_TIME() AS time, item_category AS category, SUM(CAST(price)) AS sum FROM pay
 WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME())
 GROUP BY TD_SCHEDULED_TIME(), item_category"""

console = Console(highlight=False)


def main() -> int:
    """Run the demo; exit status 0 if every sum is right."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # and leave nothing running
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="logdrain-demo-") as name:
        folder = Path(name)
        # Servers that the environment names are somebody's: this runs on its own.
        environment = {
            key: value
            for key, value in os.environ.items()
            if key not in {"MONGODB_URI", "DATABASE_URL", "PORT"} and not key.startswith("LOGDRAIN_")
        }
        environment["LOGDRAIN_JOBS_FOLDER"] = str(folder / "jobs")
        with running(folder, environment) as urls:
            is_right = show(Demo(folder, environment), urls)
    seconds = time.monotonic() - started_s
    if not is_right:
        console.print("\n[bold red]The sums differ from what the shop printed.[/]")
        return 1
    console.print(
        f"\n[bold green]Every sum is what the shop printed.[/] ({seconds:.0f} s, nothing left running)"
    )
    console.print(NEXT, markup=False, soft_wrap=True)
    return 0


NEXT = """
What to try next:
  . .venv/bin/activate                         puts logdrain on your PATH
  logdrain up                                  everything, and it stays
  python your_app.py | logdrain ship           print @[production.pay] {"price": 321321} and see it arrive
  logdrain tail                                watch events come in
  logdrain query -d production 'SELECT item_category, COUNT(*) AS n FROM pay GROUP BY 1'
  logdrain sched:create …                      makes a table for a BI tool: README.md, the classic example"""


class Demo:
    """Types commands and shows them."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def type(self, *words: str, shown: str = "", quiet: bool = False) -> str:
        """Run a logdrain command and show it as a person would type it."""
        console.print(f"\n[bold]$ logdrain {shown or shlex.join(words)}[/]", soft_wrap=True)
        command = [LOGDRAIN, *words, "--data", str(self.folder / "data")]
        done = subprocess.run(  # noqa: S603  # our own program
            command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        )
        if not quiet:
            console.print(done.stdout.rstrip(), markup=False, soft_wrap=True)
        return done.stdout

    def ship(self, until: datetime, summary: Path) -> None:
        """Let the shop print into the shipper."""
        console.print(f"\n[bold]$ python shop.py --hours {HOURS} --seed {SEED} | logdrain ship[/]")
        words = f"--hours {HOURS} --seed {SEED} --until {until.isoformat()} --summary".split()
        command = [sys.executable, SHOP, *words, str(summary)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as shop:  # noqa: S603  # ours
            shipped = subprocess.run(  # noqa: S603  # our own program
                [LOGDRAIN, "ship", "--data", str(self.folder / "data")],
                env=self.environment,
                stdin=shop.stdout,
                stdout=subprocess.PIPE,
                check=True,
                text=True,
            )
        lines = shipped.stdout.splitlines()
        for line in lines[:6]:
            console.print(line, markup=False, soft_wrap=True)
        console.print(f"… {len(lines)} lines printed and shipped")


def show(demo: Demo, urls: dict[str, str]) -> bool:
    """The story; True if Postgres has what the shop printed."""
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    summary = demo.folder / "summary.json"
    demo.ship(until, summary)
    demo.type("tables")
    demo.type("result:create", "heroku_db", urls["postgres"], shown="result:create heroku_db $DATABASE_URL")
    schedule = ("sched:create", "pay_hourly", "0 * * * *", "-d", "production", "-D", "600")
    target = ("--result", "heroku_db:payment_history")
    shown = f'sched:create pay_hourly "0 * * * *" -d production -D 600 {" ".join(target)} \\\n  "{SQL}"'
    demo.type(*schedule, *target, SQL, shown=shown)
    first = until - timedelta(hours=HOURS - 1)
    demo.type("sched:run", "pay_hourly", f"{first:%Y-%m-%d %H:%M:%S}", "-n", str(HOURS))
    console.print("\n[bold]$ psql \"$(logdrain urls postgres)\" -c 'SELECT * FROM payment_history'[/]")
    with psycopg.connect(urls["postgres"]) as connection:
        rows = connection.execute(
            "SELECT time, category, sum FROM payment_history ORDER BY time, category"
        ).fetchall()
    console.print(f"{'time':<24}{'category':<14}{'sum':>12}")
    for at, category, total in rows:
        console.print(f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S+00}  {category:<14}{total:>12}")
    console.print(f"({len(rows)} rows; time is the END of each hour)")
    printed = {
        (row["time"], row["category"]): row["sum"] for row in json.loads(summary.read_text())["payments"]
    }
    return bool(rows) and {(int(at.timestamp()), category): total for at, category, total in rows} == printed


@contextmanager
def running(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """`logdrain up` in a folder, from ready to stopped."""
    console.print("[bold]$ logdrain up[/]")
    log = folder / "up.log"
    words = ["up", "--port", "0", "--data", str(folder / "data")]
    with log.open("wb") as out:
        up = subprocess.Popen(  # noqa: S603  # our own program
            [LOGDRAIN, *words], env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        with console.status("starting MongoDB, Postgres, the drain and a worker"):
            urls = wait_ready(up, folder, log)
        console.print(f"ready: the drain listens on {urls['api']}")
        yield urls
    finally:
        up.send_signal(signal.SIGTERM)
        status = up.wait(STOP_WITHIN_S)
        if status != 0:
            console.print(f"logdrain up ended with status {status}:\n{log.read_text()[-2000:]}", markup=False)


def wait_ready(up: "subprocess.Popen[bytes]", folder: Path, log: Path) -> dict[str, str]:
    """The URLs, once they are there."""
    deadline_s = time.monotonic() + READY_WITHIN_S
    state = folder / "data" / "state.json"
    while time.monotonic() < deadline_s and up.poll() is None:
        if state.exists():
            command = [LOGDRAIN, "urls", "--json", "--data", str(folder / "data")]
            printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603  # ours
            return dict(json.loads(printed))
        time.sleep(0.1)
    raise SystemExit(f"logdrain up did not get ready:\n{log.read_text()[-4000:]}")


if __name__ == "__main__":
    sys.exit(main())
