"""What only the driver of container engines does."""
