"""The dashboard: pages for people over the metrics of `reports`, as plain HTML that works without scripts."""
