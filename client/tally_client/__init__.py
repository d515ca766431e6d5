"""Emit events to Tally: typed events and an `Emitter` that never loses one silently.

```python
from tally_client import Actor, ChatMessage, Emitter
```

The Emitter is imported on first access: aiokafka takes a third of a second to import, and code that only reads or
validates events does not need it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
from tally_client.events.directory import (
    AccountDeleted,
    ApiKeyRevoked,
    ApiKeySaved,
    ConnectorSaved,
    DiscountChanged,
    ExtraUsageChanged,
    FederatedIdentitySaved,
    GroupDeleted,
    GroupJoined,
    GroupLeft,
    GroupSaved,
    InviteClosed,
    InviteSent,
    MemberJoined,
    MemberRemoved,
    OrganizationCreated,
    PlanChanged,
    PluginSaved,
    ProfileUpdated,
    ProjectDeleted,
    ProjectSaved,
    RoleChanged,
    SeatAssigned,
    SeatsPurchased,
    SeatUnassigned,
    ServiceAccountSaved,
    SkillSaved,
)
from tally_client.events.envelope import Actor, Event
from tally_client.events.usage import Attribution, ExecutionUsed, TokenUsed
from tally_client.stack_login import NoStack

if TYPE_CHECKING:
    from tally_client.emitter import EmitError, Emitter, InvalidEvent, UndeliverableEvent

_OF_THE_EMITTER = frozenset({"EmitError", "Emitter", "InvalidEvent", "UndeliverableEvent"})


def __getattr__(name: str) -> Any:
    if name in _OF_THE_EMITTER:
        return getattr(import_module("tally_client.emitter"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AccountDeleted",
    "Actor",
    "ApiKeyRevoked",
    "ApiKeySaved",
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
    "ConnectorSaved",
    "DiscountChanged",
    "EmitError",
    "Emitter",
    "Event",
    "ExecutionUsed",
    "ExtraUsageChanged",
    "FederatedIdentitySaved",
    "FileUploaded",
    "GroupDeleted",
    "GroupJoined",
    "GroupLeft",
    "GroupSaved",
    "InvalidEvent",
    "InviteClosed",
    "InviteSent",
    "MemberJoined",
    "MemberRemoved",
    "NoStack",
    "OrganizationCreated",
    "PlanChanged",
    "PluginInstalled",
    "PluginSaved",
    "PluginUsed",
    "ProfileUpdated",
    "ProjectCreated",
    "ProjectDeleted",
    "ProjectSaved",
    "ProjectUsed",
    "RoleChanged",
    "SeatAssigned",
    "SeatUnassigned",
    "SeatsPurchased",
    "ServiceAccountSaved",
    "SessionActivity",
    "SessionStarted",
    "SkillEnabled",
    "SkillSaved",
    "SkillUsed",
    "TokenUsed",
    "UndeliverableEvent",
]
