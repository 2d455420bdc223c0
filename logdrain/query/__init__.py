"""Treasure Data SQL -> plan -> engine -> Arrow.

`plan.py` is the recipe; `functions.py` lists the TD functions; `duckdb_engine.py` runs the plan.
"""
