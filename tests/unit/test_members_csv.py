"""A file of members: what its rows mean, and that every fault is named with its line before anything is used."""

from pathlib import Path

import pytest

from directory.changes import MemberWanted
from directory.errors import InvalidMembersFile
from directory.members_csv import parse_members, read_members

ACCOUNT = "bbbbbbbb-0000-4000-8000-000000000001"


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidMembersFile) as refused:
        parse_members(text, "m.csv")
    assert refused.value.hint
    return refused.value.problems


def test_every_column() -> None:
    text = (
        "Email , account_id,name,role,seat,groups\r\n"
        f' Ada@X.example,{ACCOUNT.upper()},"Lovelace, Ada",Owner,yes, Research ;;Core team; \r\n'
        "\r\n"
        "b@x.example,,,,,\r\n"
    )
    assert parse_members(text, "m.csv") == [
        MemberWanted(
            "ada@x.example", ACCOUNT, "Lovelace, Ada", "owner", True, ("Research", "Core team"), True, "m.csv:2"
        ),
        MemberWanted("b@x.example", groups=(), groups_only=True, place="m.csv:4"),
    ]


def test_a_column_that_is_absent_changes_nothing() -> None:
    (member,) = parse_members("email\na@x\n", "m.csv")
    assert (member.name, member.role, member.seat, member.groups) == (None, None, None, None)


def test_every_fault_is_named_with_its_line() -> None:
    text = 'email,role,seat\na@x,boss,\n"b\nc@x",,\nc@x,owner\nd@x,,premium\ne@x,,\nE@X,,\n'
    found = faults(text)
    assert [fault.split(": ")[0] for fault in found] == ["m.csv:2", "m.csv:3", "m.csv:5", "m.csv:6", "m.csv:8"]
    for fault, why in zip(
        found, ["boss", "line break", "2 cells", "premium", "e@x is in m.csv:7 already"], strict=True
    ):
        assert why in fault


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "m.csv:1: there is no column email"),
        ("mail\na@x\n", "m.csv:1: there is no column email"),
        ("\n\nmail\na@x\n", "m.csv:3: there is no column email"),
        ("email;role\na@x;owner\n", "there is no column email"),
        ("email,phone\na@x,1\n", "m.csv:1: unknown column 'phone'"),
        ("email,role,Role\n", "the column role occurs twice"),
        ('email\n"a@x', "m.csv:2: not CSV: unexpected end of data"),
        ('email\na@x\n"b"c@x\n', "m.csv:3: not CSV"),
        (f"email,account_id\na@x,{ACCOUNT}\nb@x,{ACCOUNT}\n", f"m.csv:3: {ACCOUNT} is in m.csv:2 already"),
        ("email,account_id\na@x,00000000-0000-0000-0000-000000000000\n", "m.csv:2: The account_id is"),
        ("email,groups\na@x,Research;\x1b[31m\n", "m.csv:2: The group"),
        (f"email,name\na@x,{'n' * 200_000}\n", "m.csv:2: not CSV: field larger"),
    ],
)
def test_what_is_no_file_of_members(text: str, why: str) -> None:
    (fault,) = faults(text)
    assert why in fault


def test_a_file_may_have_a_mark_of_its_encoding_and_must_have_the_encoding(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_bytes(b"\xef\xbb\xbfemail,name\na@x,Z\xc3\xb6e\n")
    assert [member.name for member in read_members(file)] == ["Zöe"]
    file.write_bytes(b"email,name\na@x,x\nb@x,Z\xf6e\n")
    with pytest.raises(InvalidMembersFile) as refused:
        read_members(file)
    assert refused.value.problems == [f"{file}:3: not UTF-8"]
