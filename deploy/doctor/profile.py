"""Settings that the profile of ClickHouse's user changes or makes constant."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from deploy.doctor.findings import Finding
from deploy.settings import Settings, reveal
from sinks.client import connect
from sinks.query_settings import RELIED_ON

CHANGED = """
SELECT name, value, default, toBool(readonly) FROM system.settings
WHERE (changed AND value != default) OR (readonly AND name IN {names:Array(String)})
ORDER BY name
"""
OURS = frozenset(
    {
        *("log_comment", "cancel_http_readonly_queries_on_client_close", "cast_string_to_dynamic_use_inference"),
        *("allow_introspection_functions", "database", "storage_file_read_method"),
    }
)
"""Settings that the client library and the embedded engine set by themselves."""

HARMLESS = ("max_threads", "max_memory", "max_concurrent", "log_", "priority", "workload", "send_", "http_")
"""Settings with these prefixes decide how fast a query is, or whether it runs, but not its result."""


@dataclass(frozen=True)
class Changed:
    """A setting that is not at its default for this user, or that the user cannot change."""

    name: str
    value: str
    default: str
    is_fixed: bool


def look_at_profile(settings: Settings) -> tuple[Changed, ...]:
    """Return the profile's changes, read by a client that sends none of Tally's settings. Raises ClickHouseError."""
    password = reveal(settings.clickhouse_password)
    asking = connect(settings.clickhouse_url, settings.clickhouse_user, password, "default", settings={})
    with closing(asking) as client:
        found = client.query(CHANGED, parameters={"names": list(RELIED_ON)}).result_rows
    changed = (Changed(*row) for row in found if row[0] not in OURS)
    return tuple(one for one in changed if not (one.is_fixed and _is_right(one)))


def profile_findings(user: str, changed: tuple[Changed, ...]) -> Iterator[Finding]:
    """Return a finding for each setting that could change a number, and one for all that Tally overrides."""
    fixed = [one for one in changed if one.is_fixed and one.name in RELIED_ON]
    beaten = [one.name for one in changed if one.name in RELIED_ON and not one.is_fixed]
    for one in fixed:
        remedy = f"Remove the constraint, or set it to {RELIED_ON[one.name]!r} in the profile."
        yield Finding("problem", f"the profile does not allow another {one.name} than {one.value!r}", user, remedy)
    for one in changed:
        if one.name == "readonly":
            remedy = "Give Tally a user whose profile has readonly = 0."
            yield Finding("problem", f"the user cannot change settings (readonly = {one.value})", user, remedy)
        elif one.name not in RELIED_ON and not one.name.startswith(HARMLESS):
            remedy = "Remove it from the profile, unless you know that it only limits the resources of a query."
            what = f"the profile sets {one.name} to {one.value!r} (ClickHouse's default: {one.default!r})"
            yield Finding("warning", what, user, remedy)
    if beaten:
        yield Finding("ok", f"the profile changes {', '.join(beaten)}: Tally's requests override it", user)


def _is_right(one: Changed) -> bool:
    return one.value == str(RELIED_ON.get(one.name))
