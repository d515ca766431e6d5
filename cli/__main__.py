"""`python -m cli`: the `tally` command where its script is not on the PATH."""

from cli.main import main

main()
