"""FOCUS 1.2: an organization's charges in the columns that finance tools read, as CSV or as Parquet."""
