"""Figures with targets: how much Fairlead adds to what it waits for, and what it costs; see docs/benchmarks.md."""
