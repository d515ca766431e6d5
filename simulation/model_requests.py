"""API requests: their tokens by product, and who pays for them."""

from dataclasses import dataclass
from typing import Any

from simulation.actor_context import ActorContext
from simulation.clock import WEEK
from simulation.entities import Actor, Person
from simulation.rng import Rng, bag

Attribution = dict[str, Any]

LONG_CONTEXT = 200_000
LARGEST = 240_000
"""The maximum tokens of one class, so that a prompt fits a context window of a million."""
COMPACTED = 5
"""The factor by which a client shrinks a prompt that exceeds a short window; even the largest then fits."""
SPEEDS = bag({"standard": 25, "fast": 3, "": 72})
SHORT_MODELS = ("claude-haiku-4-5-20251001", "claude-opus-4-1-20250805", "claude-sonnet-4-5-20250929")
"""Older models, which have a context window of 200,000 tokens and no choice of geography."""
FAST_MODELS = ("claude-opus-5-5", "claude-opus-5", "claude-opus-4-8")


@dataclass(frozen=True)
class Size:
    """The probability of a token class in a request, and its size's distribution (median, sigma of its logarithm)."""

    chance: float
    median: float
    sigma: float

    def draw(self, dice: Rng) -> int:
        """Return a token count, perhaps 0."""
        return min(LARGEST, dice.skewed(self.median, self.sigma)) if dice.random() < self.chance else 0


@dataclass(frozen=True)
class Shape:
    """The token classes of a product's requests."""

    uncached: Size
    cache_read: Size
    cache_5m: Size
    cache_1h: Size
    output: Size


CHAT = Shape(
    Size(1, 900, 1.1), Size(0.4, 6_000, 1.0), Size(0.3, 2_500, 0.9), Size(0.03, 4_000, 1.0), Size(0.995, 420, 0.9)
)
CODE = Shape(
    Size(0.9, 40, 1.4), Size(0.97, 52_000, 0.9), Size(0.7, 1_900, 1.1), Size(0.25, 3_000, 1), Size(0.995, 330, 1.1)
)
AGENT = Shape(
    Size(1, 600, 1.3), Size(0.8, 18_000, 1.1), Size(0.5, 3_000, 1.0), Size(0.1, 5_000, 1.0), Size(0.995, 380, 1.0)
)
API = Shape(
    Size(1, 1_800, 1.3), Size(0.3, 8_000, 1.2), Size(0.1, 4_000, 1.0), Size(0.03, 9_000, 1.0), Size(0.995, 300, 1.2)
)

SHAPES: dict[str | None, Shape] = {"chat": CHAT, "claude_code": CODE}
for _product in ("messages_api", "message_batches_api", "claude_console", "other"):
    SHAPES[_product] = API


def request(
    scene: ActorContext, at: int, attribution: Attribution | None = None, tier: str = "standard", searches: int = 0
) -> bool:
    """Emit one API request to one of the actor's models. Returns False, without an event, if no one pays for it."""
    dice, actor = scene.dice, scene.actor
    funding = scene.organization.funding(at, allotment_left(actor, at))
    if funding is None:
        return False
    model = dice.pick(actor.models)
    fields = tokens(dice, SHAPES.get(scene.product, AGENT), model in SHORT_MODELS)
    charge(actor, at, fields)
    fields |= price_dimensions(dice, scene.organization.geo, model, tier, fields)
    fields |= {"funding": funding, "model": model, "request_id": f"req_{dice.getrandbits(64):016x}"}
    if searches:
        fields["web_search_requests"] = searches
    if tier != "standard" or dice.random() < 0.05:
        fields["service_tier"] = tier
    if attribution:
        fields["attribution"] = attribution
    scene.put(at, "token.used", fields)
    return True


def tokens(dice: Rng, shape: Shape, short: bool) -> dict[str, Any]:
    """Return the token classes of one request, without zeros."""
    drawn = {
        "uncached_input_tokens": shape.uncached.draw(dice),
        "cache_read_input_tokens": shape.cache_read.draw(dice),
        "cache_creation_5m_input_tokens": shape.cache_5m.draw(dice),
        "cache_creation_1h_input_tokens": shape.cache_1h.draw(dice),
        "output_tokens": shape.output.draw(dice),
    }
    shrink = COMPACTED if short and sum(drawn.values()) > LONG_CONTEXT else 1
    return {name: count // shrink for name, count in drawn.items() if count}


def price_dimensions(dice: Rng, geo: str | None, model: str, tier: str, counts: dict[str, Any]) -> dict[str, str]:
    """Return context window, inference geography and speed, each omitted by some clients."""
    placed = {}
    if dice.random() < 0.65:
        prompt = sum(count for name, count in counts.items() if name != "output_tokens")
        placed["context_window"] = "0-200k" if prompt <= LONG_CONTEXT else "200k-1M"
    if geo and model not in SHORT_MODELS and dice.random() < 0.5:
        placed["inference_geo"] = geo
    speed = dice.pick(SPEEDS)
    if speed:
        placed["speed"] = speed if model in FAST_MODELS and tier == "standard" else "standard"
    return placed


def execute(scene: ActorContext, at: int, attribution: Attribution | None = None) -> None:
    """Emit code execution in a container, billed by the millisecond; nothing if no one pays for it."""
    dice = scene.dice
    funding = scene.organization.funding(at, allotment_left(scene.actor, at))
    if funding is None:
        return
    spans = 0 if dice.random() < 0.02 else 1 + dice.poisson(0.4)
    fields = {"funding": funding, "spans": spans, "milliseconds": spans and dice.skewed(4_000, 1.4)}
    scene.put(at, "execution.used", fields | ({"attribution": attribution} if attribution else {}))


def allotment_left(actor: Actor, at: int) -> bool:
    """Return True if the seat still covers the person's week; machines have no seat."""
    if not isinstance(actor, Person):
        return False
    return actor.week != at // WEEK or actor.used < actor.allotment


def charge(actor: Actor, at: int, fields: dict[str, Any]) -> None:
    """Count a request against the person's weekly allotment, roughly by its cost."""
    if not isinstance(actor, Person):
        return
    if actor.week != at // WEEK:
        actor.week, actor.used = at // WEEK, 0
    reads = fields.get("cache_read_input_tokens", 0) // 10
    actor.used += fields.get("uncached_input_tokens", 0) + reads + 5 * fields.get("output_tokens", 0)
