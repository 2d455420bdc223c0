"""logdrain: print a tagged JSON line to STDOUT, read a Postgres table an hour later."""
