"""Random operations on containers while Fairlead is killed and containers vanish; see `__main__`."""
