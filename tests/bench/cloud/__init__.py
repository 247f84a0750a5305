"""Fairlead on a real OpenStack beside the cloud's own critical path, and beside Heat; see `__main__`."""
