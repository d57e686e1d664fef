"""``python -m clio`` is the command ``clio``."""

from clio.cli import main

main()
