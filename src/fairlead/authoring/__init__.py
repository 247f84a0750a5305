"""Authoring: what those who write packages use on their own machine, without a server.

Looking for mistakes, explaining them, starting a package, building one, drawing what it would become. All of it reads files
with the same readers as the catalogue does, so that desk and server cannot disagree; none of it knows the running program. The
command line is its only user, and this room the only one beside the SDK that the command line may use.
"""
