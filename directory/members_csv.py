"""Members from a CSV file: one row a person, every row checked before any is used."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from directory.changes import MemberWanted
from directory.errors import InvalidMembersFile, InvalidText
from directory.texts import parse_email, parse_name, parse_role, parse_yes_or_no
from files.byte_streams import naming, open_to_read
from tally_client.validity import bare

T = TypeVar("T")
COLUMNS = ("email", "account_id", "name", "role", "seat", "groups")
BETWEEN_GROUPS = ";"
HINT = f"The first line names the columns, separated by commas: email and any of {', '.join(COLUMNS[1:])}."


def read_members(path: Path) -> list[MemberWanted]:
    """Return the people in a file; `-` is standard input. Raises InvalidMembersFile with every fault."""
    with open_to_read(path) as stream, naming(path):
        content = stream.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidMembersFile([f"{path}:{line}: not UTF-8"], "Save the file as CSV in UTF-8.") from error
    return parse_members(text, str(path))


def parse_members(text: str, name: str) -> list[MemberWanted]:
    """Return the people in the text of the file `name`."""
    problems: list[str] = []
    rows = _rows(text, name, problems)
    line, header = next(rows, (1, []))
    columns = [column.strip(" ").lower() for column in header]
    if wrong := _wrong_header(columns):
        raise InvalidMembersFile([f"{name}:{line}: {wrong}"], HINT)
    members: list[MemberWanted] = []
    for line, cells in rows:
        try:
            members.append(_member(columns, cells, f"{name}:{line}"))
        except InvalidText as error:
            problems.append(f"{name}:{line}: {error}. {error.hint}")
    problems += _repeats(members)
    if problems:
        raise InvalidMembersFile(problems, "Correct these lines and import the file again.")
    return members


def _rows(text: str, name: str, problems: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not empty with the number of its first line; a row that is not CSV ends the file."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(f"{name}:{line}: not CSV: {error}")


def _wrong_header(columns: Sequence[str]) -> str:
    """Return what is wrong with the first line, or nothing."""
    unknown = [column for column in columns if column not in COLUMNS]
    if "email" not in columns:
        return "there is no column email"
    if unknown:
        return f"unknown column {unknown[0]!r:.200}"
    repeated = [column for column in columns if columns.count(column) > 1]
    return f"the column {repeated[0]} occurs twice" if repeated else ""


def _member(columns: Sequence[str], cells: Sequence[str], place: str) -> MemberWanted:
    if len(cells) != len(columns):
        raise InvalidText(f"{len(cells)} cells, but {len(columns)} columns", 'Quote a text with a comma: "a, b"')
    row = dict(zip(columns, cells, strict=True))
    return MemberWanted(
        email=parse_email(row["email"]),
        account_id=_given(row, "account_id", _account) or "",
        name=_given(row, "name", parse_name),
        role=_given(row, "role", parse_role),
        seat=_given(row, "seat", lambda text: parse_yes_or_no(text, "seat")),
        groups=parse_groups(row["groups"]) if "groups" in row else None,
        groups_only=True,
        place=place,
    )


def parse_groups(text: str) -> tuple[str, ...]:
    """Return the names of groups, which a text has with semicolons between them."""
    return tuple(parse_name(name, "group") for name in text.split(BETWEEN_GROUPS) if name.strip(" "))


def _given(row: Mapping[str, str], column: str, parse: Callable[[str], T]) -> T | None:
    """Return the parsed cell; None if there is no such column or the cell is empty, which leaves things as they are."""
    text = row.get(column, "")
    return parse(text) if text.strip(" ") else None


def _account(text: str) -> str:
    try:
        return bare(text.strip(" "))
    except ValueError:
        raise InvalidText(f"The account_id is {text!r:.200}", "Write a UUID, other than the nil UUID.") from None


def _repeats(members: Sequence[MemberWanted]) -> list[str]:
    """Return a line for each person who is in the file twice."""
    first: dict[str, str] = {}
    problems = []
    for member in members:
        for key in filter(None, (member.email, member.account_id)):
            if key in first:
                problems.append(f"{member.place}: {key} is in {first[key]} already")
            first.setdefault(key, member.place)
    return problems
