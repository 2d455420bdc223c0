"""How many files and connections this process may have open."""

import resource

# MongoDB's and Postgres's connections, spool files, the log; what is left is for who connects.
_FILES_OF_OUR_OWN = 200


def room_for_connections(wanted: int) -> int:
    """Raise the limit of open files as far as it goes; returns how many connections fit, `wanted` at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, hard - _FILES_OF_OUR_OWN))
