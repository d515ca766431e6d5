"""What needs a price for every model."""
