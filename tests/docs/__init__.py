"""The documentation says what is there: codes, links, commands, settings."""
