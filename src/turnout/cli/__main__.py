"""`python -m turnout.cli`."""

from turnout.cli.main import main

main()
