"""A plan in DuckDB's words, and the engine that runs it."""
