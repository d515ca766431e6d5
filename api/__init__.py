"""The Analytics API over HTTP: access, parameters, cursors and response shapes. `reports` defines the numbers."""
