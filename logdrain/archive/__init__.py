"""The archive: ended hours of each table as files in columns, listed in a manifest."""
