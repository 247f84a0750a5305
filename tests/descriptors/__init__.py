"""The descriptor reader: what it makes of sources, and what it tells of mistakes."""
