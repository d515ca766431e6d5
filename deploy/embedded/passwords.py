"""The passwords of a data directory's Kafka and ClickHouse, generated at the first start and readable by its owner
alone."""

import secrets
from pathlib import Path

from deploy.embedded.ports import NotKept, read_kept
from files.atomic_files import write_json

_BYTES = 32


def kept_password(directory: Path, name: str) -> str:
    """Return the password of the component `name`, the same at every start. The caller must hold the directory's lock.
    Raises NotKept if the file is damaged."""
    path = directory / "passwords.json"
    kept = read_kept(path)
    if not all(isinstance(password, str) and password for password in kept.values()):
        raise NotKept(path)
    if path.exists():
        path.chmod(0o600)  # it may have been copied with other permissions
    if name not in kept:
        kept[name] = secrets.token_urlsafe(_BYTES)
        write_json(path, kept)
    return str(kept[name])
