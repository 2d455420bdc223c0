"""What names mean: tables, columns, results."""
