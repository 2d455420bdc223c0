"""The list of commands; a command's module is imported only when it runs."""

from typing import NamedTuple


class Command(NamedTuple):
    """A command's module in `logdrain.cli` and what it does, in a line."""

    module: str
    summary: str


SECTIONS = {
    "Servers": {
        "up": Command("up", "run everything: MongoDB, Postgres, the drain and a worker"),
        "urls": Command("urls", "print the URLs and keys of a running `logdrain up`"),
        "serve": Command("serve", "run the drain, with /health and /metrics"),
        "work": Command("work", "run a worker, which runs what is due"),
        "migrate": Command("migrate", "bring the ledger's tables in Postgres up to date"),
    },
    "Events": {
        "ship": Command("ship", "send STDIN to a drain, line by line, and copy it to STDOUT"),
        "tables": Command("tables", "list the tables of events"),
        "schema": Command("schema", "show a table's fields and their types"),
        "db:list": Command("db_list", "list the databases"),
        "table:list": Command("table_list", "list the tables of a database, or of all"),
        "table:show": Command("table_show", "show a table's fields and their types"),
        "tail": Command("tail", "show the newest events, and go on as they come"),
        "quarantine": Command("quarantine", "show what could not become an event, and why"),
    },
    "SQL": {
        "query": Command("query", "run SQL over events"),
        "explain": Command("explain", "show what a query would read and run"),
    },
    "Results": {
        "result:create": Command("result_create", "name a place to write results to"),
        "result:list": Command("result_list", "list the results"),
        "result:delete": Command("result_delete", "forget a result; its tables stay"),
    },
    "Access": {
        "keys:create": Command("keys_create", "make a key, and print its secret once"),
        "keys:list": Command("keys_list", "list the keys, without their secrets"),
        "keys:revoke": Command("keys_revoke", "revoke a key"),
        "bi:grant": Command("bi_grant", "let a Postgres role read the result tables, and nothing else"),
        "bi:revoke": Command("bi_revoke", "take reading away from a role again"),
    },
    "Schedules": {
        "sched:create": Command("sched_create", "run SQL on a cron schedule"),
        "sched:update": Command("sched_update", "change a schedule"),
        "sched:list": Command("sched_list", "list the schedules"),
        "sched:show": Command("sched_show", "show a schedule"),
        "sched:pause": Command("sched_pause", "pause a schedule"),
        "sched:resume": Command("sched_resume", "let a paused schedule go on"),
        "sched:delete": Command("sched_delete", "forget a schedule; its result table stays"),
        "sched:history": Command("sched_history", "show the newest runs of a schedule"),
        "sched:run": Command("sched_run", "run slices of a schedule now, past ones too"),
        "sched:result": Command("sched_result", "show the newest run of a schedule"),
        "job:list": Command("job_list", "show the newest runs of all schedules"),
        "job:show": Command("job_show", "show a run"),
        "job:kill": Command("job_kill", "end a run"),
        "cron": Command("cron", "print the next instants of a cron expression"),
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


def group(name: str) -> list[str]:
    """The commands of a group, such as `bi`."""
    return [command for command in COMMANDS if command.startswith(f"{name}:")]
