"""Keys: who may do what, hashed in Postgres."""
