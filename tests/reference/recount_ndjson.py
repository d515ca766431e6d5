"""Recount a file of `tally simulate` with nothing of Tally but its price list. Arguments: FILE FIRST LAST FOLDER."""

import csv
import json
import re
import sys
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, getcontext
from operator import mul
from pathlib import Path

from pricing.price_table import USD_COLUMNS, read_price_list

NAMES = "date,organization_uuid,user_email,account_uuid,product,model,model_family,total_requests,total_prompt_tokens"
COUNTS = [name.removeprefix("execution_").removesuffix("_usd") + "s" for name in USD_COLUMNS]
TIERS = ("standard", "batch", "priority", "priority_on_demand", "flex", "flex_discount")
KIND = {"service_tier": TIERS[0], "context_window": "0-200k", "inference_geo": "global", "speed": "standard"}
TERMS = {"plan.changed": "plan", "discount.changed": "discount", "extra_usage.changed": "enabled"}
WORK = {"claude_code": ("tool_uses", "commits", "pull_requests"), "cowork": ("tool_uses", "messages")}
ID, EPOCH = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), datetime(1970, 1, 1, tzinfo=UTC)
prices, terms, active, emails, events, rows = *map(defaultdict, (dict, dict, set, str)), {}, {}
path, first, last, folder, getcontext().prec, *BY = *sys.argv[1:], 100, "organization_id", "type", "event_id"


def is_valid(event):  # poison that is not wrapped spoils a token event, a discount or a profile
    event["at"] = EPOCH + (datetime.fromisoformat(event["occurred_at"]) - EPOCH)  # a TypeError without a zone
    ids = event["event_id"], event["organization_id"], event.get("actor", {"id": event["event_id"]})["id"]
    good = all(map(ID.fullmatch, ids)) and 2025 <= event["at"].year < 2900 and "@" in event.get("email", "@")
    good = good and event.get("model", event["type"] != "token.used") and event.get("funding", "unpaid")
    good = good and event.get("service_tier", TIERS[0]) in TIERS and Decimal(event.get("discount", 0)) <= 1
    good = good and ":00:00" in event.get("effective_from", ":00:00") and event.get("effective_from", "") < "2200"
    good = good and not re.search("[\n\ufffd]|[0-]{36}", "".join(str(event[n]) for n in event if n != "name"))
    good = good and len((event.get("attribution") or {}).get("skills", ())) <= 32
    return good and all(type(event.get(n, 0)) is int and 0 <= event.get(n, 0) <= 10**9 for n in COUNTS)


def at(history, hour):
    return history.get(max((start for start in history if start <= hour), default=None))


for event in map(json.loads, Path(path).read_text(errors="replace").split("\n")[:-1]):
    with suppress(KeyError, TypeError, ValueError, OverflowError):  # is_valid stumbled: poison
        if (event.get("$topic"), event.get("$value_base64")) == ("tally.profiles", None):
            emails |= {who: "" for who in emails if who[36:] == event["$key"]}
        elif "$topic" not in event and is_valid(event) and events.setdefault(tuple(map(event.get, BY)), event) is event:
            emails |= {event["organization_id"] + event["account_id"]: event["email"]} if "email" in event else {}
            history, start = terms[event["organization_id"], event["type"]], event.get("effective_from")
            history |= {datetime.fromisoformat(start): event[TERMS[event["type"]]]} if start else {}
for row in read_price_list().rows:
    prices[tuple(vars(row.key).values())[:5]][row.key.effective_from] = row.usd
for event in events.values():
    org, type_, app, model = (event.get(name) or "" for name in ("organization_id", "type", "product", "model"))
    hour, counts = event["at"].replace(minute=0, second=0, microsecond=0), [event.get(name, 0) for name in COUNTS]
    person = event["actor"]["id"] if event.get("actor", {}).get("type") == "user" else ""
    if type_ == "chat.message" or (type_ == "session.activity" and any(map(event.get, WORK.get(app, ())))):
        active[org, hour.toordinal()] |= {person} - {""}
    plan, discount, extra = (at(terms[org, each], hour) for each in TERMS)
    spent = plan not in ("team", "enterprise_seat_based") or (extra and event.get("funding") == "extra_usage")
    if spent and type_ in ("token.used", "execution.used") and first <= str(hour.date()) <= last:
        key = re.sub(r"-(20\d{6}|latest)\Z", "", model), *(event.get(name) or KIND[name] for name in KIND)
        units = at(prices[key], hour) if model else (0,) * 7
        gross = units and sum(map(mul, counts, (*units[:5], *at(prices[("",) * 5], hour)[5:])))
        name = re.sub("agent$", "agents", app).replace("_", " ").title().replace(" In ", " in ").replace("Api", "API")
        row = rows.setdefault((org, str(hour.date()), emails[org + person], person, name, model, key[0]), [0] * 5)
        added = type_ == "token.used", sum(counts[:4]), counts[4], units and gross * (1 - Decimal(discount or 0)), gross
        row[:] = [None if None in pair else sum(pair) for pair in zip(row, added, strict=True)]
families = {each.model: each.family for each in read_price_list().models}
for org in {event["organization_id"] for event in events.values()}:
    with (Path(folder) / f"spend-{org}.csv").open("w", newline="", encoding="utf-8") as out:
        out.write(f"{NAMES},total_completion_tokens,total_net_spend_usd,total_gross_spend_usd\r\n")
        for (_, day, *texts, priced), (*sums, net, gross) in sorted(row for row in rows.items() if row[0][0] == org):
            safe = (re.sub(r"^(?=[=+@\t\r\n-])", "'", text) for text in (*texts, families.get(priced, "")))
            money = ("" if usd is None else f"{Decimal(usd).normalize():f}" for usd in (net, gross))
            csv.writer(out).writerow([day, org, *safe, *sums, *money])
for org, day in sorted({(org, day) for org, _ in active for _, day in active}):
    people = (set().union(*(active.get((org, day - age), ()) for age in range(width))) for width in (1, 7, 30))
    print(org, datetime.fromordinal(day).date(), *map(len, people), sep=",")
