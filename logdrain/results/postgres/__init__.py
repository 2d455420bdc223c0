"""Rows into a Postgres table, in one transaction."""
