"""`python -m cli`: the `tally` command, where its script is not at hand."""

from cli.main import main

main()
