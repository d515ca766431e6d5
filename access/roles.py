"""A person's permissions on an organization's analytics, by their role in the directory now."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from queries.sql_files import fetch

FOLDER = Path(__file__).parent

OWNERS = {"primary_owner": True, "owner": True}
SEES_SPEND = {
    "team": OWNERS,
    "enterprise_usage_based": OWNERS | {"admin": False},
    "enterprise_seat_based": OWNERS | {"admin": False},
}
"""By plan, the roles that see analytics and whether they see spend. No other plan or role sees anything."""


@dataclass(frozen=True)
class Member:
    """A person in an organization. `role` is empty for a non-member; `plan` is empty while none is in force."""

    organization_id: str
    account_id: str
    email: str
    plan: str
    role: str

    @property
    def can_read(self) -> bool:
        """True if the person may see analytics at all."""
        return self.role in SEES_SPEND.get(self.plan, {})

    @property
    def can_read_spend(self) -> bool:
        """True if the person may also see spend."""
        return SEES_SPEND.get(self.plan, {}).get(self.role, False)


def read_person(client: Client, organization_id: str, account_id: str, now: datetime) -> Member:
    """Return the person as the directory has them now, known or not."""
    parameters = {
        "organization_id": organization_id,
        "account_id": account_id,
        "now_ms": int(now.timestamp() * 1000),
    }
    (row,) = fetch(client, FOLDER / "membership.sql", parameters)
    return Member(organization_id, account_id, row["email"], row["plan"], row["role"])


def members_by_email(client: Client, organization_id: str, email: str, any_case: bool = False) -> list[str]:
    """Return the accounts of members with exactly this e-mail address: usually one, none for an empty address.

    With `any_case`, which is for addresses that an operator types, upper and lower case are the same; a token has to
    name the address as the directory has it.
    """
    if not email:
        return []
    parameters = {"organization_id": organization_id, "email": email, "any_case": any_case}
    return [row["account_id"] for row in fetch(client, FOLDER / "members_by_email.sql", parameters)]


def largest_owner(client: Client) -> tuple[str, str] | None:
    """Return (organization, account) of a primary owner of the largest organization; None if there is none."""
    rows = fetch(client, FOLDER / "largest_owner.sql")
    return (rows[0]["organization_id"], rows[0]["account_id"]) if rows else None
