"""`tally identity`: whose tokens are accepted, what is refused, and what is kept of a file of keys."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from jwt.algorithms import RSAAlgorithm

from deploy.errors import ExitCode
from tests.support.access_commands import Tally, tally, world
from tests.support.identity_provider import KEYS, provider, public
from tests.support.people import somebody
from tests.support.simulated_world import World

__all__ = ["tally", "world"]

OWNER, OTHER = somebody("team", "owner"), somebody("enterprise_usage_based", "owner")


def arguments(jwks: str, organization: str = OWNER.organization, claim: str = "email") -> tuple[str, ...]:
    told = ("--issuer", "https://issuer.example", "--audience", "tally", "--jwks", jwks, "--claim", claim)
    return ("identity", "set", "--organization", organization, *told)


def test_a_provider_is_set_shown_and_removed(tally: Tally) -> None:
    with provider() as issuer:
        code, said, _ = tally(*arguments(issuer.url))
        assert code == ExitCode.OK
        assert "keys ec, okp, rsa" in said
        assert issuer.asked == ["/"]
        (shown,) = json.loads(tally("identity", "show", "--json")[1])
        assert shown == {
            "organization_id": OWNER.organization,
            "issuer": "https://issuer.example",
            "audience": "tally",
            "jwks": issuer.url,
            "claim": "email",
            "token_type": "",
            "authorized_party": "",
        }
        code, _, complaint = tally(*arguments(issuer.url, OTHER.organization))
        assert (code, "already accepts tokens of this issuer" in complaint) == (ExitCode.REFUSED, True)
    assert OWNER.organization in tally("identity", "show")[1]
    assert "no longer accepts" in tally("identity", "remove", "--organization", OWNER.organization)[1]
    assert json.loads(tally("identity", "show", "--json")[1]) == []
    assert tally("identity", "remove", "--organization", OWNER.organization)[0] == ExitCode.REFUSED
    listed = json.loads(tally("audit", "--organization", OWNER.organization, "--json")[1])
    assert [entry["action"] for entry in listed] == ["identity", "identity"]


def test_of_a_file_the_public_keys_are_kept(world: World, tally: Tally, tmp_path: Path) -> None:
    secret = json.loads(RSAAlgorithm.to_jwk(KEYS["foreign"][0])) | {"kid": "secret"}
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [*public("rsa"), secret, {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}]}))
    code, said, _ = tally(*arguments(str(file), claim="sub"))
    assert (code, "keys rsa." in said) == (ExitCode.OK, True)
    client = world.client()
    stored = str([client.query(f"SELECT * FROM {table}").result_rows for table in ("identity_providers", "audit_log")])
    client.close()
    assert public("rsa")[0]["n"] in stored
    for kept_secret in (secret["d"], secret["n"], "c2VjcmV0"):
        assert kept_secret not in stored
    assert tally("identity", "remove", "--organization", OWNER.organization)[0] == ExitCode.OK


@pytest.mark.parametrize(
    ("jwks", "said"),
    [
        ("http://issuer.example/keys", "neither https nor http on this machine"),
        ("http://169.254.169.254/latest", "neither https nor http on this machine"),
        ("file:///etc/passwd", "not a plain URL"),
        ("https://user:password@issuer.example/", "not a plain URL"),
        ("http://127.0.0.1:1/", "cannot be fetched"),
    ],
)
def test_keys_come_from_https_or_this_machine(tally: Tally, jwks: str, said: str) -> None:
    code, printed, complaint = tally(*arguments(jwks))
    assert (code, printed) == (ExitCode.REFUSED, "")
    assert said in complaint


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"keys": 1}', '{"keys": []}', '{"keys": [{"kty": "oct", "kid": "x"}]}']
)
def test_a_file_without_keys_is_refused(tally: Tally, tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text)
    assert tally(*arguments(str(file)))[0] == ExitCode.REFUSED
    assert tally(*arguments(str(tmp_path / "nowhere")))[0] == ExitCode.FILE


def test_an_unknown_organization_and_a_redirect_are_refused(tally: Tally) -> None:
    with provider() as issuer:
        code, _, complaint = tally(*arguments(issuer.url, str(uuid4())))
        assert (code, "does not exist" in complaint) == (ExitCode.REFUSED, True)
        issuer.status = 302
        code, _, complaint = tally(*arguments(issuer.url))
        assert (code, "returned 302" in complaint) == (ExitCode.REFUSED, True)
        assert "/elsewhere" not in issuer.asked
