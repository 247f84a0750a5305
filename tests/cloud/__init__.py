"""What needs a real OpenStack."""
