"""The command line against a peer of the API, over real HTTP."""
