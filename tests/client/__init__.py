"""The SDK against a peer of the API, over real HTTP."""
