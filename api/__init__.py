"""The Analytics API over HTTP: access, parameters, cursors and shapes. What numbers mean is in `reports`."""
