"""The public contract of every topic, as msgspec Structs.

One Struct per event type, tagged by `type`. Adding a field with a default is compatible, and unknown fields are
ignored; removing a field or changing its type requires a new event type. `EVENTS_BY_TOPIC` lists the types of each
topic; `decoder(topic)` validates the bytes of one record.
"""

from functools import cache

from tally_client.events.activity import (
    ArtifactCreated,
    ArtifactPublished,
    ArtifactShared,
    ArtifactViewed,
    ChatMessage,
    ChatSharedViewed,
    ChatStarted,
    ConnectorCalled,
    ConnectorConnected,
    FileUploaded,
    PluginInstalled,
    PluginUsed,
    ProjectCreated,
    ProjectUsed,
    SessionActivity,
    SessionStarted,
    SkillEnabled,
    SkillUsed,
)
from tally_client.events.decoding import EventDecoder
from tally_client.events.directory import DIRECTORY_EVENTS, DirectoryEvent, ProfileUpdated
from tally_client.events.envelope import ActivityEvent, Actor, Event
from tally_client.events.usage import Attribution, ExecutionUsed, TokenUsed

CHAT = "tally.chat"
PROJECT = "tally.project"
ARTIFACT = "tally.artifact"
CONNECTOR = "tally.connector"
TOKEN = "tally.token"  # noqa: S105 - a topic's name, not a secret
SESSION = "tally.session"
DIRECTORY = "tally.directory"
PROFILES = "tally.profiles"
DEAD_LETTERS = "tally.dead-letters"

EVENTS_BY_TOPIC: dict[str, tuple[type[Event], ...]] = {
    CHAT: (ChatStarted, ChatMessage, ChatSharedViewed, FileUploaded),
    PROJECT: (ProjectCreated, ProjectUsed),
    ARTIFACT: (ArtifactCreated, ArtifactShared, ArtifactPublished, ArtifactViewed),
    CONNECTOR: (
        ConnectorCalled,
        ConnectorConnected,
        SkillUsed,
        SkillEnabled,
        PluginUsed,
        PluginInstalled,
    ),
    TOKEN: (TokenUsed, ExecutionUsed),
    SESSION: (SessionStarted, SessionActivity),
    DIRECTORY: DIRECTORY_EVENTS,
    PROFILES: (ProfileUpdated,),
}

TOPIC_BY_TYPE: dict[str, str] = {
    str(struct.__struct_config__.tag): topic for topic, structs in EVENTS_BY_TOPIC.items() for struct in structs
}

EVENT_BY_TYPE: dict[str, type[Event]] = {
    str(struct.__struct_config__.tag): struct for structs in EVENTS_BY_TOPIC.values() for struct in structs
}


@cache
def decoder(topic: str) -> EventDecoder:
    """Return the decoder that validates records of `topic`. Raises KeyError if the topic is not one of Tally's."""
    return EventDecoder(EVENTS_BY_TOPIC[topic])


def partition_key(event: Event) -> bytes:
    """Return the Kafka key that keeps the events of one subject in order on one partition.

    Activity and usage are keyed by the actor's id, the directory by the organization's, profiles by the account's (that
    topic is compacted, so its key also decides which record is kept and whom a tombstone forgets).
    """
    if isinstance(event, ActivityEvent):
        return event.actor.id.encode()
    if isinstance(event, ProfileUpdated):
        return event.account_id.encode()
    return event.organization_id.encode()


__all__ = [
    "ARTIFACT",
    "CHAT",
    "CONNECTOR",
    "DEAD_LETTERS",
    "DIRECTORY",
    "DIRECTORY_EVENTS",
    "EVENTS_BY_TOPIC",
    "EVENT_BY_TYPE",
    "PROFILES",
    "PROJECT",
    "SESSION",
    "TOKEN",
    "TOPIC_BY_TYPE",
    "ActivityEvent",
    "Actor",
    "ArtifactCreated",
    "ArtifactPublished",
    "ArtifactShared",
    "ArtifactViewed",
    "Attribution",
    "ChatMessage",
    "ChatSharedViewed",
    "ChatStarted",
    "ConnectorCalled",
    "ConnectorConnected",
    "DirectoryEvent",
    "Event",
    "EventDecoder",
    "ExecutionUsed",
    "FileUploaded",
    "PluginInstalled",
    "PluginUsed",
    "ProfileUpdated",
    "ProjectCreated",
    "ProjectUsed",
    "SessionActivity",
    "SessionStarted",
    "SkillEnabled",
    "SkillUsed",
    "TokenUsed",
    "decoder",
    "partition_key",
]
