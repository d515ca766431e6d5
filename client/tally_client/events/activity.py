"""What people do: chats, projects, artifacts, connectors, skills, plugins and sessions."""

from typing import Annotated, Literal

from tally_client.events.envelope import PRINTABLE, ActivityEvent, Count, Id, Moment, Name, SessionProduct, text_of

ArtifactType = Literal[
    "application/vnd.ant.code",
    "application/vnd.ant.mermaid",
    "application/vnd.ant.react",
    "image/svg+xml",
    "text/html",
    "text/markdown",
    "text/plain",
    "other",
]
Access = Literal["read", "write", "unclassified"]
AuthMode = Literal["managed", "individual", "none"]


# --- tally.chat ------------------------------------------------------------------------------------------


class ChatStarted(ActivityEvent, frozen=True, kw_only=True, tag="chat.started"):
    """A conversation was opened, in a project or outside one."""

    conversation_id: Id
    project_id: Id | None = None


class ChatMessage(ActivityEvent, frozen=True, kw_only=True, tag="chat.message"):
    """A person sent a message."""

    conversation_id: Id
    project_id: Id | None = None
    thinking: bool = False
    web_searches: Count = 0


class ChatSharedViewed(ActivityEvent, frozen=True, kw_only=True, tag="chat.shared_viewed"):
    """A person opened a shared conversation in a project."""

    conversation_id: Id
    project_id: Id | None = None


class FileUploaded(ActivityEvent, frozen=True, kw_only=True, tag="file.uploaded"):
    """A person uploaded a file."""

    file_id: Id
    project_id: Id | None = None


# --- tally.project ---------------------------------------------------------------------------------------


class ProjectCreated(ActivityEvent, frozen=True, kw_only=True, tag="project.created"):
    """A person created a project."""

    project_id: Id


class ProjectUsed(ActivityEvent, frozen=True, kw_only=True, tag="project.used"):
    """A person worked in a project."""

    project_id: Id


# --- tally.artifact: the actor is the artifact's owner, so that all that befalls it is in order ------------


class ArtifactCreated(ActivityEvent, frozen=True, kw_only=True, tag="artifact.created"):
    """The actor made an artifact; `occurred_at` is its creation."""

    artifact_id: Id
    artifact_type: ArtifactType
    project_id: Id | None = None


class LaterArtifactEvent(ActivityEvent, frozen=True, kw_only=True):
    """Something that befell an artifact after its creation, counted on the day it was created (`created_at`)."""

    artifact_id: Id
    artifact_type: ArtifactType
    created_at: Moment
    project_id: Id | None = None


class ArtifactShared(LaterArtifactEvent, frozen=True, kw_only=True, tag="artifact.shared"):
    """Somebody beyond its owner may open the artifact now."""


class ArtifactPublished(LaterArtifactEvent, frozen=True, kw_only=True, tag="artifact.published"):
    """Anyone with the link may open the artifact now."""


class ArtifactViewed(LaterArtifactEvent, frozen=True, kw_only=True, tag="artifact.viewed"):
    """Somebody opened the artifact."""


# --- tally.connector: connectors, skills and plugins ------------------------------------------------------


class ExtensionEvent(ActivityEvent, frozen=True, kw_only=True):
    """What connector, skill and plugin events share; `session_id` is the conversation or session it was in."""

    name: Name
    session_id: Id | None = None
    project_id: Id | None = None


class ConnectorCalled(ExtensionEvent, frozen=True, kw_only=True, tag="connector.called"):
    """A connector's tool was invoked; `access` follows the tool's read-only annotation."""

    access: Access = "unclassified"
    auth_mode: AuthMode = "none"


class ConnectorConnected(ExtensionEvent, frozen=True, kw_only=True, tag="connector.connected"):
    """A person (individual) or an administrator (managed) gave a connector credentials."""

    auth_mode: AuthMode = "individual"


class SkillUsed(ExtensionEvent, frozen=True, kw_only=True, tag="skill.used"):
    """A skill was explicitly activated; being installed, listed or preloaded is no use."""


class SkillEnabled(ExtensionEvent, frozen=True, kw_only=True, tag="skill.enabled"):
    """A person switched a skill on."""


class PluginUsed(ExtensionEvent, frozen=True, kw_only=True, tag="plugin.used"):
    """A plugin was invoked."""


class PluginInstalled(ExtensionEvent, frozen=True, kw_only=True, tag="plugin.installed"):
    """A person installed a plugin."""


# --- tally.session: Claude Code, Cowork, Office, Design and Science sessions --------------------------------


class SessionEvent(ActivityEvent, frozen=True, kw_only=True):
    """What session events share; remote and local parts of a session are counted apart. A session is counted in its
    product, so it must have one."""

    product: SessionProduct
    session_id: Id
    terminal: Annotated[str, text_of(f"{PRINTABLE}*", 0, 64)] | None = None
    is_remote: bool = False


class SessionStarted(SessionEvent, frozen=True, kw_only=True, tag="session.started"):
    """A session began."""


class SessionActivity(SessionEvent, frozen=True, kw_only=True, tag="session.activity"):
    """What happened in a session since its last such event: every counter is an increment."""

    messages: Count = 0
    tool_uses: Count = 0
    actions: Count = 0
    dispatch_turns: Count = 0
    lines_added: Count = 0
    lines_removed: Count = 0
    commits: Count = 0
    pull_requests: Count = 0
    edit_accepted: Count = 0
    edit_rejected: Count = 0
    multi_edit_accepted: Count = 0
    multi_edit_rejected: Count = 0
    write_accepted: Count = 0
    write_rejected: Count = 0
    notebook_edit_accepted: Count = 0
    notebook_edit_rejected: Count = 0
    delegations: Count = 0
    remote_jobs: Count = 0
