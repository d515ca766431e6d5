"""Who gets in: keys, scopes, both headers, revocation at once, the rate of an organization, and what is kept."""

import logging
from datetime import timedelta

import httpx
import pytest

from access.keys import create_key, find_key, list_keys, revoke_key, secret_hash
from tests.support.api_server import PREFIX, Served, context_of, serve
from tests.support.simulated_world import NOW, World

PATH = f"{PREFIX}/summaries?starting_date=2026-11-18"


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and type; the body is as documented and names the request."""
    body = response.json()
    assert set(body) == {"type", "error", "request_id"}
    assert body["type"] == "error"
    assert body["request_id"] == response.headers["request-id"]
    assert body["request_id"].startswith("req_")
    assert body["error"]["message"]
    return response.status_code, body["error"]["type"]


def asked(served: Served, **headers: str) -> httpx.Response:
    return httpx.get(served.base_url + PATH, headers={name.replace("_", "-"): text for name, text in headers.items()})


def test_either_header_carries_the_key_and_the_version_is_no_matter(served: Served, organization: str) -> None:
    key = served.keys[organization]
    bodies = [
        asked(served, **headers).raise_for_status().json()
        for headers in (
            {"x_api_key": key},
            {"authorization": f"Bearer {key}"},
            {"authorization": f"bearer {key}", "x_api_key": key, "anthropic_version": "2023-06-01"},
        )
    ]
    assert bodies[0]["organization_id"] == organization
    assert bodies[0] == bodies[1] == bodies[2]


def test_without_a_good_key_nothing_is_told(served: Served, world: World) -> None:
    first, second = (served.keys[organization] for organization in world.organizations[:2])
    for headers in (
        {},
        {"x_api_key": ""},
        {"x_api_key": "nonsense"},
        {"x_api_key": first[:-1] + ("A" if first[-1] != "A" else "B")},
        {"x_api_key": first, "authorization": f"Bearer {second}"},
        {"authorization": f"Basic {first}"},
        {"authorization": "Bearer"},
        {"authorization": first},
    ):
        response = asked(served, **headers)
        assert refusal(response) == (401, "authentication_error"), headers
        assert response.headers["www-authenticate"] == "Bearer"
        assert first not in response.text


def test_a_revoked_and_an_expired_key_end_at_once(served: Served, world: World, organization: str) -> None:
    client = world.client()
    key, text = create_key(client, organization, "short", NOW, NOW + timedelta(days=1))
    assert asked(served, x_api_key=text).status_code == 200
    revoke_key(client, key.id, NOW)
    assert refusal(asked(served, x_api_key=text)) == (401, "authentication_error")
    _, old = create_key(client, organization, "old", NOW - timedelta(days=2), NOW)
    assert refusal(asked(served, x_api_key=old)) == (401, "authentication_error")
    client.close()


def test_a_key_without_the_scope_is_forbidden(served: Served, world: World, organization: str) -> None:
    client = world.client()
    _, text = create_key(client, organization, "narrow", NOW, None, scopes=("read:nothing",))
    client.close()
    assert refusal(asked(served, x_api_key=text)) == (403, "permission_error")


def test_one_setting_hides_refusals(world: World, organization: str) -> None:
    client = world.client()
    _, narrow = create_key(client, organization, "narrow", NOW, None, scopes=())
    client.close()
    with serve(context_of(world, hide_refusals=True)) as hiding:
        for headers in ({}, {"x_api_key": "nonsense"}, {"x_api_key": narrow}):
            assert refusal(asked(hiding, **headers)) == (404, "not_found_error")


def test_what_is_kept_of_a_key(served: Served, world: World, organization: str) -> None:
    client = world.client()
    key, text = create_key(client, organization, "kept", NOW, NOW + timedelta(days=90))
    assert asked(served, x_api_key=text).status_code == 200
    kept = next(one for one in list_keys(client, organization) if one.id == key.id)
    assert kept.last_used_at == NOW
    assert (kept.standing(NOW), kept.standing(NOW + timedelta(days=90))) == ("active", "expired")
    assert kept.secret_sha256 == secret_hash(text)
    stored = client.query("SELECT toString(tuple(*)) FROM api_keys").result_rows
    assert not [row for row in stored if text[19:] in row[0]]
    assert find_key(client, text) is not None
    assert revoke_key(client, key.id, NOW).revoked_at == revoke_key(client, key.id, NOW + timedelta(1)).revoked_at
    client.close()


def test_a_key_is_never_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    client = world.client()
    with caplog.at_level(logging.DEBUG):
        _, text = create_key(client, world.organizations[0], "quiet", NOW, None)
        with serve(context_of(world)) as running:
            assert asked(running, authorization=f"Bearer {text}").status_code == 200
            assert running.get(f"{PREFIX}/nowhere", text).status_code == 404
    client.close()
    assert text[19:] not in caplog.text


def test_the_rate_is_the_organizations_over_all_its_keys(served: Served, world: World) -> None:
    first, second = world.organizations[:2]
    client = world.client()
    _, other_key = create_key(client, first, "other", NOW, None)
    client.close()
    with serve(context_of(world, requests_a_minute=4)) as limited:
        codes = [asked(limited, x_api_key=key).status_code for key in (served.keys[first], other_key) * 2]
        assert codes == [200] * 4
        response = asked(limited, x_api_key=other_key)
        assert refusal(response) == (429, "rate_limit_error")
        assert 1 <= int(response.headers["retry-after"]) <= 60
        assert asked(limited, x_api_key=served.keys[second]).status_code == 200


def test_what_is_not_there(served: Served, organization: str) -> None:
    key = served.keys[organization]
    assert refusal(served.get("/v1/nothing", key)) == (404, "not_found_error")
    assert refusal(served.get(f"{PREFIX}/users/x", key)) == (404, "not_found_error")
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        response = httpx.request(method, served.base_url + PATH, headers={"x-api-key": key})
        assert refusal(response) == (405, "invalid_request_error")
