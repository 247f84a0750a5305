"""`python -m fairlead` is the command `fairlead`."""

from fairlead.main import cli

cli()
