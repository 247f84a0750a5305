"""The watcher, and what the simulated infrastructure does beyond the contract of all drivers."""
