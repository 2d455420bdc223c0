"""Rows into CSV and Parquet files."""
