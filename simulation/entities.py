"""The entities of the simulated workspace: organizations, people, machines and projects."""

from bisect import bisect_right
from dataclasses import dataclass, field

import orjson

TEAM = "team"
USAGE_BASED = "enterprise_usage_based"
SEAT_BASED = "enterprise_seat_based"


@dataclass(frozen=True)
class Policy:
    """The terms that price usage from the moment `since` (milliseconds) on."""

    since: int
    plan: str
    extra_usage: bool


@dataclass(eq=False)
class Actor:
    """Any source of events: a person, an API key, a service account or a federated identity.

    `ends`: when the current stretch of activity must stop. `skew`: how far the device's clock is ahead (milliseconds).
    `zone`: minutes ahead of UTC. `stamps_zone`: the device writes timestamps in that zone.
    """

    type: str
    id: str
    organization_id: str
    zone: int = 0
    skew: int = 0
    stamps_zone: bool = False
    ends: int = 0
    rate: float = 0.0
    models: tuple[str, ...] = ()
    familiar: set[str] = field(default_factory=set)
    spells: list[tuple[int, int]] = field(default_factory=list)
    envelope: orjson.Fragment = field(init=False)
    key: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.envelope = orjson.Fragment(orjson.dumps({"type": self.type, "id": self.id}))
        self.key = self.id.encode()

    def active_until(self, at: int) -> int:
        """Return the end of the spell that contains the moment `at`, or 0 if there is none."""
        return next((end for begin, end in self.spells if begin <= at < end), 0)

    def stop(self, at: int) -> None:
        """End the current spell at `at`."""
        begin, _ = self.spells[-1]
        self.spells[-1] = (begin, at)


@dataclass(eq=False)
class Person(Actor):
    """A member: habits decide what they use and when; `allotment` is the usage that their seat covers per week."""

    name: str = ""
    email: str = ""
    role: str = "member"
    settled: int = 0
    left: int = 1 << 62
    seated: bool = True
    groups: list[str] = field(default_factory=list)
    habits: tuple[str, ...] = ()
    hours: tuple[int, ...] = ()
    weekend: float = 0.1
    allotment: int = 0
    week: int = 0
    used: int = 0
    conversations: list[tuple[str, str | None]] = field(default_factory=list)

    def present(self, at: int) -> bool:
        """Return True if the person is a member at `at`, and no directory change is pending (`settled`)."""
        return self.settled <= at < self.left


@dataclass(eq=False)
class Machine(Actor):
    """An API key, service account or federated identity, which calls the API at its own rhythm."""

    name: str = ""
    duty: str = "messages_api"
    provider: str = ""
    attribution: dict[str, object] = field(default_factory=dict)


@dataclass(eq=False)
class Project:
    """A project, open from `since` until `until` (milliseconds)."""

    id: str
    name: str
    creator: Person
    since: int
    until: int


@dataclass(eq=False)
class Organization:
    """An organization, its policies ordered by `since`, and its content; `size` is its initial number of people."""

    id: str
    name: str
    kind: str
    domain: str
    founded: int
    size: int
    geo: str | None = None
    seats: int = 0
    seats_taken: int = 0
    policies: list[Policy] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    connectors: list[tuple[str, ...]] = field(default_factory=list)
    workspaces: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)

    @property
    def experiments(self) -> bool:
        """True if the organization uses what has no public price: a preview model and flexible service tiers. Only one
        kind of organization does, so that the others' amounts are complete."""
        return self.kind == "switching"

    def policy(self, at: int) -> Policy:
        """Return the policy in force at `at`."""
        return self.policies[max(0, bisect_right(self.policies, at, key=lambda policy: policy.since) - 1)]

    def funding(self, at: int, allotment_left: bool) -> str | None:
        """Return who pays for a request at `at`; None if no one does, so that the request is not made."""
        policy = self.policy(at)
        if policy.plan == USAGE_BASED:
            return "usage_based"
        if allotment_left:
            return "seat_allotment"
        return "extra_usage" if policy.extra_usage else None
