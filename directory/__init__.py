"""The directory as it is now, and the events that make it what an operator wants: organizations, terms, members."""
