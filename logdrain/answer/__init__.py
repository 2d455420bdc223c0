"""Questions are answered: plan, read, run, stream; for the command line, workers and HTTP."""
