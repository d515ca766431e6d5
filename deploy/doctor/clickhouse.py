"""Facts about ClickHouse and Tally's tables, and their judgement."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client

from deploy.counts import counted
from deploy.doctor.findings import Finding, clock_finding, disk_finding
from deploy.doctor.profile import Changed, look_at_profile, profile_findings
from deploy.prices import difference
from deploy.settings import Settings, reveal
from pricing.price_table import LoadedList, list_in_force
from sinks.client import connect
from sinks.migrations import applied_migrations, applied_views, load_migrations, load_views
from sinks.positions import Position
from sinks.store import Store

UNPRICED = """
SELECT DISTINCT concat(model, ', ', service_tier, if(context_window = '', '', concat(', ', context_window)),
    if(inference_geo IN ('', 'global'), '', concat(', ', inference_geo)),
    if(speed IN ('', 'standard'), '', concat(', ', speed)))
FROM spend WHERE isNull(list_usd) ORDER BY 1 LIMIT 20
"""
IS_MIGRATED = "SELECT count() FROM system.tables WHERE database = {name:String} AND name = 'migrations'"


@dataclass(frozen=True)
class ClickHouseFacts:
    """State of ClickHouse and of Tally's tables.

    `profile`: settings that the user's profile changes or makes constant; `positions`: of each source; `ledger`: sha256
    of each applied migration; `unpriced`: kinds of usage without a price; `other_prices`: how `prices_file` differs
    from the prices in force; `disks`: free and total bytes; `clock_difference` in seconds, positive if ahead.
    """

    version: str
    time_zone: str
    clock_difference: float
    disks: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    ledger: Mapping[int, str] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
    prices: LoadedList | None = None
    other_prices: str = ""
    unpriced: tuple[str, ...] = ()
    positions: Mapping[str, Position] = field(default_factory=dict)
    epochs: Mapping[str, int] = field(default_factory=dict)
    profile: tuple[Changed, ...] = ()

    @property
    def is_migrated(self) -> bool:
        """True if all tables exist, so that the other facts are meaningful."""
        return {migration.number for migration in load_migrations()} <= set(self.ledger)


def look_at_clickhouse(settings: Settings) -> ClickHouseFacts:
    """Query ClickHouse. Raises clickhouse-connect's error if it is unavailable or refuses the user."""
    password = reveal(settings.clickhouse_password)
    client = connect(settings.clickhouse_url, settings.clickhouse_user, password, "default", timeout=30)
    try:
        facts = replace(_server(client), profile=look_at_profile(settings))
        parameters = {"name": settings.clickhouse_database}
        if not client.query(IS_MIGRATED, parameters=parameters).result_rows[0][0]:
            return facts
        client.database = settings.clickhouse_database
        facts = replace(facts, ledger=applied_migrations(client), views=applied_views(client))
        return _tables(settings, client, facts) if facts.is_migrated else facts
    finally:
        client.close()


def _server(client: Client) -> ClickHouseFacts:
    asked_at = datetime.now(UTC)
    query = "SELECT version(), serverTimezone(), toUnixTimestamp64Milli(now64(3))"
    ((version, zone, milliseconds),) = client.query(query).result_rows
    midway = asked_at + (datetime.now(UTC) - asked_at) / 2
    disks = client.query("SELECT name, free_space, total_space FROM system.disks WHERE total_space > 0").result_rows
    return ClickHouseFacts(
        version, zone, milliseconds / 1000 - midway.timestamp(), {name: (free, total) for name, free, total in disks}
    )


def _tables(settings: Settings, client: Client, facts: ClickHouseFacts) -> ClickHouseFacts:
    store = Store(client)
    return replace(
        facts,
        prices=list_in_force(client),
        other_prices=difference(settings, client),
        unpriced=tuple(row[0] for row in client.query(UNPRICED).result_rows),
        positions=store.positions(),
        epochs=store.epochs(),
    )


def clickhouse_findings(settings: Settings, stored: ClickHouseFacts) -> Iterator[Finding]:
    """Judge version, time zone, clock, disks, migrations and prices."""
    what = f"ClickHouse {stored.version} responds; its time zone is {stored.time_zone}, windows are in UTC"
    yield Finding("ok", what, settings.clickhouse_url)
    yield clock_finding("ClickHouse", stored.clock_difference)
    yield from profile_findings(settings.clickhouse_user, stored.profile)
    for disk, (free, total) in stored.disks.items():
        yield disk_finding(f"ClickHouse's disk {disk}", free, total)
    yield from migration_findings(settings.clickhouse_database, stored)
    if stored.is_migrated:
        yield from price_findings(settings, stored)


def migration_findings(database: str, stored: ClickHouseFacts) -> Iterator[Finding]:
    """Check that the database has all migrations and views, with the text that is shipped, and no others."""
    shipped = {migration.number: migration for migration in load_migrations()}
    for number, migration in shipped.items():
        name, applied = f"{number:03d}_{migration.name}.sql", stored.ledger.get(number)
        if applied is None:
            yield Finding("problem", f"migration {name} is not applied", database, "Apply it with `tally migrate`.")
        elif applied != migration.sha256:
            remedy = "Restore the file, and put the change in a new one."
            yield Finding("problem", f"the text of migration {name} has changed since it was applied", database, remedy)
        else:
            yield Finding("ok", f"migration {name} is applied", database)
    if set(stored.ledger) - set(shipped):
        yield Finding("problem", "the database has migrations of a newer release", database, "Use that release.")
        return
    other = sorted(view.name for view in load_views() if stored.views.get(view.name) != view.sha256)
    if other:
        what = f"{counted(len(other), 'view is', 'views are')} not as in this release: {', '.join(other)}"
        yield Finding("problem", what, database, "Apply them with `tally migrate`.")


def price_findings(settings: Settings, stored: ClickHouseFacts) -> Iterator[Finding]:
    """Report the prices in force, whether the settings name others, and usage without a price."""
    if not stored.prices:
        yield Finding("problem", "there are no prices", "prices", "Load the shipped list with `tally prices load`.")
        return
    in_force = counted(stored.prices.prices, "price is", "prices are")
    yield Finding("ok", f"{in_force} in force: {stored.prices}", "prices")
    if stored.other_prices:
        yield Finding("problem", stored.other_prices, "prices", "Put the file in force with `tally prices load`.")
    elif settings.prices_file is None and not stored.prices.is_shipped:
        remedy = f"Set it to {stored.prices.source}, or return to the shipped list with `tally prices load --shipped`."
        yield Finding("warning", "prices_file is not set, but a custom list is in force", "prices", remedy)
    for usage in stored.unpriced:
        remedy = "Add a line to the price list (setting prices_file) and load it with `tally prices load`."
        yield Finding("warning", f"usage without a price: {usage}", "prices", remedy)
