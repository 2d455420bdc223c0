"""logdrain: print a tagged JSON line to STDOUT, read a Postgres table an hour later."""

from logdrain.clients.client import AsyncClient, Client
from logdrain.clients.log_handler import LogHandler
from logdrain.model.python_jobs import JobContext, job

__all__ = ["AsyncClient", "Client", "JobContext", "LogHandler", "job"]
