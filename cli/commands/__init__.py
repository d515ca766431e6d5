"""One small module per command. Each imports what it runs inside the command, so that `tally --help` is fast."""
