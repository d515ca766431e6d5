"""The dashboard in a real Chromium (Debian's package), over a simulated world in the real ClickHouse."""
