"""The passwords of a data directory's Kafka and ClickHouse, made up at the first start and kept for its owner alone."""

import json
import secrets
from pathlib import Path

from deploy.embedded.ports import NotKept, read_kept, write_atomically

_BYTES = 32


def kept_password(directory: Path, name: str) -> str:
    """The password of the part `name`, the same at every start. Called by whoever holds the directory. Raises NotKept
    when the file is damaged."""
    path = directory / "passwords.json"
    kept = read_kept(path)
    if not all(isinstance(password, str) and password for password in kept.values()):
        raise NotKept(path)
    if name not in kept:
        kept[name] = secrets.token_urlsafe(_BYTES)
        write_atomically(path, json.dumps(kept, indent=2) + "\n", mode=0o600)
    path.chmod(0o600)  # it may have been copied with other rights
    return str(kept[name])
