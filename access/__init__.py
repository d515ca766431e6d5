"""Access control: API keys, sessions, identity providers, roles, the audit log and the secret that seals cursors."""
