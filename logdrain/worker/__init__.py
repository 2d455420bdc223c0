"""Runs slices: the loop that claims them, the slice itself, the chores beside it."""
