"""logdrain: print a tagged JSON line to STDOUT, read a Postgres table an hour later."""

from logdrain.model.python_jobs import JobContext, job

__all__ = ["JobContext", "job"]
