"""One file a command. Each has `add_arguments(parser)` and `run(arguments) -> exit status`."""
