"""What a run's rows and the note that it ran share."""

import psycopg

Transaction = psycopg.Connection[tuple[object, ...]]
"""A Postgres connection inside an open transaction."""
