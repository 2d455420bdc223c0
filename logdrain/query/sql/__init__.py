"""SQL texts as trees: the two dialects, the syntax, what planning knows."""
