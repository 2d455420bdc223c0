"""The list of commands; a command's module is imported only when it runs."""

from typing import NamedTuple


class Command(NamedTuple):
    """A command's module in `logdrain.cli` and what it does, in a line."""

    module: str
    summary: str


COMMANDS = {
    "up": Command("up", "run everything: MongoDB, Postgres, drain, API and a worker"),
    "urls": Command("urls", "print the URLs and keys of a running `logdrain up`"),
    "serve": Command("serve", "run the drain and the API"),
    "work": Command("work", "run a worker: it runs slices that are due"),
    "migrate": Command("migrate", "bring the ledger's tables in Postgres up to date"),
    "ship": Command("ship", "send STDIN to a drain, line by line, and copy it to STDOUT"),
    "tables": Command("tables", "list the tables of events"),
    "schema": Command("schema", "show a table's fields and their types"),
    "tail": Command("tail", "show the newest events, and go on as they come"),
    "quarantine": Command("quarantine", "show what could not become an event, and why"),
    "query": Command("query", "run SQL over events"),
    "explain": Command("explain", "show what a SQL text reads and runs"),
    "result:create": Command("result_create", "keep a Postgres to write results to, by name"),
    "result:list": Command("result_list", "list the results"),
    "result:delete": Command("result_delete", "forget a result; its tables stay"),
    "sched:create": Command("sched_create", "run SQL on a cron schedule"),
    "sched:list": Command("sched_list", "list the schedules"),
    "sched:show": Command("sched_show", "show a schedule"),
    "sched:delete": Command("sched_delete", "forget a schedule; its result table stays"),
    "sched:history": Command("sched_history", "show the newest runs of a schedule"),
    "sched:run": Command("sched_run", "run slices of a schedule now, past ones too"),
    "cron": Command("cron", "print the next instants of a cron expression"),
    "jobs": Command("jobs", "check or apply job files"),
}


def find(name: str) -> Command | None:
    """A command by name; `schedule:` is td's long form of `sched:`."""
    if name.startswith("schedule:"):
        name = name.replace("schedule:", "sched:", 1)
    return COMMANDS.get(name)
