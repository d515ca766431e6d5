"""Claude Code by day: each person's and key's activity in each terminal, and the usage of their models."""
