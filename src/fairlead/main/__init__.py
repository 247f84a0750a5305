"""The composition root: it puts the program together, and is the command `fairlead`.

`program` makes and starts the parts, `serving` puts the API before them, `health` says how they are, `commands` are
those of the command line that run the program rather than talk to it.
"""

from fairlead.main.commands import cli

__all__ = ["cli"]
