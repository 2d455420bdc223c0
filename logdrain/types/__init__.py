"""Types and every conversion between them: BSON, SQL, Arrow, Postgres, Parquet, Python."""
