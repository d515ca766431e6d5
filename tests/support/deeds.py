"""One event of every type, by each kind of actor, in each product and some surfaces: all that anybody can do."""

from collections.abc import Iterator
from itertools import product as product_of
from typing import Any, get_args

from tally_client.events.envelope import ActorType, Product
from tests.support.fold_records import activity, uuid

CHAT, ARTIFACT = {"conversation_id": uuid(22)}, {"artifact_id": uuid(21), "artifact_type": "text/html"}
LATER, PROJECT = ARTIFACT | {"created_at": "2026-03-01T09:00:00Z"}, {"project_id": uuid(24)}
NAMED, SESSION = {"name": "Deeds", "session_id": uuid(25)}, {"session_id": uuid(26)}
USAGE = {"funding": "usage_based", "milliseconds": 10}
REQUEST = {"funding": "usage_based", "request_id": "r", "model": "claude-opus-5-5", "output_tokens": 10}
FIELDS: dict[str, dict[str, Any]] = {
    **{f"chat.{what}": CHAT for what in ("started", "message", "shared_viewed")},
    "file.uploaded": {"file_id": uuid(23)},
    **{f"project.{what}": PROJECT for what in ("created", "used")},
    "artifact.created": ARTIFACT,
    **{f"artifact.{what}": LATER for what in ("shared", "published", "viewed")},
    **{f"connector.{what}": NAMED for what in ("called", "connected")},
    **{f"skill.{what}": NAMED for what in ("used", "enabled")},
    **{f"plugin.{what}": NAMED for what in ("used", "installed")},
    "session.started": SESSION,
    "session.activity": SESSION | {"tool_uses": 1, "messages": 2, "commits": 3, "lines_added": 4},
    "token.used": REQUEST,
    "execution.used": USAGE,
}


def some_of_each() -> Iterator[dict[str, Any]]:
    """Valid events of PERSON and of machines of the same id; only their `event_id` is that of all."""
    products = (None, *get_args(Product))
    for (kind, fields), actor, product, surface in product_of(
        FIELDS.items(), get_args(ActorType), products, (None, "excel", "web")
    ):
        if not (kind.startswith("session.") and product in (None, "chat")):
            who = {"type": actor, "id": uuid(0xB)}
            yield activity(kind, actor=who, product=product, surface=surface, **fields)
