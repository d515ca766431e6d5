"""Seeded simulation of the real sources and folds: one seed is one history, and every history must end exact."""
