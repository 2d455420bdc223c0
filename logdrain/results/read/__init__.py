"""Tables of named results, read by queries."""
