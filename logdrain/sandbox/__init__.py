"""Real MongoDB and Postgres servers in a data folder, and a Logplex that retries.

Read in this order: `folder_state` (the folder, its lock, keys and state), `process_server` (the life of a
server), `mongo_server`, `postgres_server`, then `logplex` and `http_logplex` (the sender).
Files named `process_*` and `folder_*` use the operating system as service files use their service.
"""
