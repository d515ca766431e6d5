"""Claude Code by the day: what each person or key did in each terminal, and what their models used."""
