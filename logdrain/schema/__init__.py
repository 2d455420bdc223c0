"""Our own Postgres tables, all in schema `logdrain`: numbered .sql files and what applies them."""
