"""What every driver must do, whatever infrastructure it drives."""
