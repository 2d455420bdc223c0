"""The roads that cross rooms: a delivery becomes events, a SQL text rows, a slice a result."""
