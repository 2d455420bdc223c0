"""What functions mean, value by value, in plain Python: no engine."""
