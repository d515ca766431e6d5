"""Rows and pages of responses, valid in strict mode for the official SDK's types."""
