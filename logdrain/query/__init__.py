"""Treasure Data SQL -> plan -> engine -> Arrow.

`plan.py` is the recipe; `td/registry.py` lists the TD functions; `duckdb/` lowers a plan and runs it.
"""
