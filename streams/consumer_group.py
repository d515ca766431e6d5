"""The workers' consumer group: its members, and how a restarted worker replaces its predecessor."""

from collections.abc import Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, UnknownMemberIdError, for_code
from aiokafka.protocol.group import LeaveGroupRequest

from streams.kafka_errors import raise_for


async def group_members(admin: Any, group: str) -> list[Mapping[str, Any]]:
    """Return `member_id`, `client_id` and `client_host` of each member; none if the group does not exist. Raises
    KafkaError."""
    try:
        answers = await admin.describe_consumer_groups([group])
    except GroupCoordinatorNotAvailableError:
        return []  # returned by a broker that has never had a group
    found: list[Mapping[str, Any]] = []
    for answer in answers:
        for described in answer.to_object()["groups"]:
            raise_for(described["error_code"], group)
            found += described["members"]
    return found


async def remove_members(bootstrap: str, group: str, name: str, options: Mapping[str, Any] | None = None) -> int:
    """Remove the members with the client id `name` from the group and return their number.

    A killed member keeps its partitions until its session expires: six seconds in which no one reads them. A member
    that is still alive rejoins by itself. `options` are aiokafka's connection arguments. Raises KafkaError.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000, **(options or {}))
    try:
        await admin.start()
        gone = [member["member_id"] for member in await group_members(admin, group) if member["client_id"] == name]
        for member_id in gone:
            answer = await admin._send_request(LeaveGroupRequest(group, member_id), await admin.find_coordinator(group))
            if for_code(answer.error_code) is not UnknownMemberIdError:  # otherwise its session has just expired
                raise_for(answer.error_code, member_id)
        return len(gone)
    finally:
        await admin.close()
