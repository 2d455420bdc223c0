"""The list of commands; a command's module is imported only when it runs."""

from typing import NamedTuple


class Command(NamedTuple):
    """A command's module in `logdrain.cli` and what it does, in a line.

    The module has `add_NAME_arguments` and `run_NAME` for it; the NAME of `keys:create` is `keys_create`.
    """

    module: str
    summary: str


SECTIONS = {
    "Servers": {
        "up": Command("up", "run everything: MongoDB, Postgres, the drain and a worker"),
        "urls": Command("servers", "print the URLs and keys of a running `logdrain up`"),
        "serve": Command("servers", "run the drain, with /health and /metrics"),
        "work": Command("servers", "run a worker, which runs what is due"),
        "migrate": Command("servers", "bring the ledger's tables in Postgres up to date"),
    },
    "Events": {
        "ship": Command("ship", "send STDIN to a drain, line by line, and copy it to STDOUT"),
        "check": Command("check", "say what would become of a line, and why"),
        "tables": Command("events", "list the tables of events"),
        "schema": Command("events", "show a table's fields and their types"),
        "db:list": Command("events", "list the databases"),
        "table:list": Command("events", "list the tables of a database, or of all"),
        "table:show": Command("events", "show a table's fields and their types"),
        "tail": Command("events", "show the newest events, and go on as they come"),
        "quarantine": Command("events", "show what could not become an event, and why"),
    },
    "SQL": {
        "query": Command("query", "run SQL over events"),
        "explain": Command("query", "show what a query would read and run"),
    },
    "Results": {
        "result:create": Command("results", "name a place to write results to"),
        "result:list": Command("results", "list the results"),
        "result:delete": Command("results", "forget a result; its tables stay"),
    },
    "Access": {
        "keys:create": Command("keys", "make a key, and print its secret once"),
        "keys:list": Command("keys", "list the keys, without their secrets"),
        "keys:revoke": Command("keys", "revoke a key"),
        "bi:grant": Command("bi", "let a Postgres role read the result tables, and nothing else"),
        "bi:revoke": Command("bi", "take reading away from a role again"),
    },
    "Schedules": {
        "sched:create": Command("schedules", "run SQL on a cron schedule"),
        "sched:update": Command("schedules", "change a schedule"),
        "sched:list": Command("schedules", "list the schedules"),
        "sched:show": Command("schedules", "show a schedule"),
        "sched:pause": Command("schedules", "pause a schedule"),
        "sched:resume": Command("schedules", "let a paused schedule go on"),
        "sched:delete": Command("schedules", "forget a schedule; its result table stays"),
        "sched:history": Command("runs", "show the newest runs of a schedule"),
        "sched:run": Command("sched_run", "run slices of a schedule now, past ones too"),
        "sched:result": Command("runs", "show the newest run of a schedule"),
        "job:list": Command("runs", "show the newest runs of all schedules"),
        "job:show": Command("runs", "show a run"),
        "job:kill": Command("runs", "end a run"),
        "cron": Command("jobs", "print the next instants of a cron expression"),
        "jobs": Command("jobs", "check or apply job files"),
    },
}
"""What `logdrain --help` lists, under these headings."""

COMMANDS = {name: command for section in SECTIONS.values() for name, command in section.items()}


def find(name: str) -> Command | None:
    """A command by name; `schedule` is td's long form of `sched`, and a group by itself its list."""
    if name.partition(":")[0] == "schedule":
        name = name.replace("schedule", "sched", 1)
    return COMMANDS.get(name) or COMMANDS.get(f"{name}:list")


def function_name(name: str) -> str:
    """What a command's functions are named after: `keys_create` for `keys:create`."""
    [found] = {known for known, command in COMMANDS.items() if command is find(name)}
    return found.replace(":", "_")


def group(name: str) -> list[str]:
    """The commands of a group, such as `bi`."""
    return [command for command in COMMANDS if command.startswith(f"{name}:")]
