"""A real OpenStack as somebody else than Fairlead sees it, and Fairlead as a real process that works on it.

`operator` asks the cloud and does harm in it, `things` tells what is in a project, `packages` makes network functions
for it, `deployed` runs Fairlead, `comparing` holds the cloud against the records. Each test or run has a Keystone
project of its own, so whatever is in that project and not the operator's is Fairlead's, marked or not.
"""
