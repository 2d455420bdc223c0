"""What the scans need not read, and what the store answers alone."""
