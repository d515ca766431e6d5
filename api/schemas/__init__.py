"""The rows and pages of responses, as the official SDK's types have them in strict mode."""
