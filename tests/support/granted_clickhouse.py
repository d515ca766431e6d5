"""ClickHouse's own access control over a data folder that no server holds: statements of a user with these grants.

`answered` runs this module as a process of its own, since a process opens the engine once.
"""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

OWNER = "tally"
"""Another user, who may read everything."""

USER = """\
<{name}>
    <password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
    <grants>{grants}</grants>
</{name}>
"""


def answered(folder: Path, organization: str, grants: list[str], database: str, statements: list[str]) -> list[str]:
    """The results of statements as CSV, or their errors; `{organization:UUID}` in them is the organization."""
    asked = {"organization": organization, "grants": grants, "database": database, "statements": statements}
    command = [sys.executable, "-m", "tests.support.granted_clickhouse", str(folder)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def user(name: str, grants: list[str]) -> str:
    return USER.format(name=name, grants="".join(f"<query>{grant}</query>" for grant in grants))


def write_config(folder: Path, grants: list[str]) -> Path:
    """The engine runs all statements as `default`."""
    users = user("default", grants) + user(OWNER, ["GRANT SELECT ON *.*"])
    profiles = "<profiles><default></default></profiles><quotas><default></default></quotas>"
    (folder / "granted-users.xml").write_text(f"<clickhouse><users>{users}</users>{profiles}</clickhouse>")
    config = folder / "granted.xml"
    config.write_text(f"<clickhouse><users_config>{folder}/granted-users.xml</users_config></clickhouse>")
    return config


def answer(connection: Any, statement: str) -> str:
    try:
        text: str = connection.query(statement, "CSV").bytes().decode()
    except RuntimeError as error:
        return str(error)
    return text


def main() -> None:
    """Answer what `answered` asks on standard input."""
    folder, asked = Path(sys.argv[1]), json.load(sys.stdin)
    config = write_config(folder, asked["grants"])
    connection = import_module("chdb._chdb").connect(f"{folder}?config-file={config}&log-level=warning")
    connection.query(f"USE {asked['database']}")
    connection.query(f"SET param_organization = '{asked['organization']}'")
    json.dump([answer(connection, statement) for statement in asked["statements"]], sys.stdout)


if __name__ == "__main__":
    main()
