"""Fairlead: an ETSI NFV VNF Manager and NFV Orchestrator in one program.

The rooms and the floors they stand on are described in docs/structure.md; `main` puts the program together.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
