"""One small module a command; each imports what it runs inside the command, so that `tally --help` is quick."""
