"""`python -m galactions`: the command line without its script."""

from galactions.cli import main

main()
