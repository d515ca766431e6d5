"""One readable stream of the output of all processes: on the console, and in a file of limited size."""

import logging
import logging.handlers
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from deploy.errors import printable

_COLORS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green", "bright_magenta")


class LogStream:
    """Writes lines with the name of their process. Thread-safe."""

    def __init__(self, file: Path, console: Console | None) -> None:
        """Append to `file` (10 MB, three older ones kept); with `console` None, only to the file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(file, maxBytes=10 << 20, backupCount=3)
        formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(message)s", "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
        self._file = logging.Logger("stack")  # a logger of its own, under no root that others configure
        self._file.addHandler(handler)
        self._handler = handler
        self._console = console
        self._colors: dict[str, str] = {}

    def write(self, name: str, line: str) -> None:
        """Write one line of the process `name`; unprintable characters are escaped, on the console and in the file."""
        line = printable(line.expandtabs(4))
        prefix = f"{name:<10} | "
        self._file.info("%s%s", prefix, line)
        if self._console is not None:
            color = self._colors.setdefault(name, _COLORS[len(self._colors) % len(_COLORS)])
            self._console.print(Text.assemble((prefix, color), line), soft_wrap=True)

    def close(self) -> None:
        """Close the file."""
        self._handler.close()
