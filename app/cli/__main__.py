"""`python -m app.cli`: the console without its script."""

from app.cli import main

main()
