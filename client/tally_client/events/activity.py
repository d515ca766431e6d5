"""Activity events: chats, projects, artifacts, connectors, skills, plugins and sessions."""

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


# --- tally.artifact: the actor is the artifact's owner, which keeps an artifact's events in order -----------


class ArtifactCreated(ActivityEvent, frozen=True, kw_only=True, tag="artifact.created"):
    """The actor created an artifact, at `occurred_at`."""

    artifact_id: Id
    artifact_type: ArtifactType
    project_id: Id | None = None


class LaterArtifactEvent(ActivityEvent, frozen=True, kw_only=True):
    """An event about an artifact after its creation, counted on the day the artifact was created (`created_at`)."""

    artifact_id: Id
    artifact_type: ArtifactType
    created_at: Moment
    project_id: Id | None = None


class ArtifactShared(LaterArtifactEvent, frozen=True, kw_only=True, tag="artifact.shared"):
    """The artifact was shared with people other than its owner."""


class ArtifactPublished(LaterArtifactEvent, frozen=True, kw_only=True, tag="artifact.published"):
    """The artifact was published: anyone with the link can open it."""


class ArtifactViewed(LaterArtifactEvent, frozen=True, kw_only=True, tag="artifact.viewed"):
    """Someone opened the artifact."""


# --- tally.connector: connectors, skills and plugins ------------------------------------------------------


class ExtensionEvent(ActivityEvent, frozen=True, kw_only=True):
    """Base of connector, skill and plugin events; `session_id` is the conversation or session where it happened."""

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
    """A skill was explicitly activated; installing, listing or preloading it does not count."""


class SkillEnabled(ExtensionEvent, frozen=True, kw_only=True, tag="skill.enabled"):
    """A person switched a skill on."""


class PluginUsed(ExtensionEvent, frozen=True, kw_only=True, tag="plugin.used"):
    """A plugin was invoked."""


class PluginInstalled(ExtensionEvent, frozen=True, kw_only=True, tag="plugin.installed"):
    """A person installed a plugin."""


# --- tally.session: Claude Code, Cowork, Office, Design and Science sessions --------------------------------


class SessionEvent(ActivityEvent, frozen=True, kw_only=True):
    """Base of session events. The remote and local parts of a session are counted separately. `product` is required,
    because a session is counted in its product."""

    product: SessionProduct
    session_id: Id
    terminal: Annotated[str, text_of(f"{PRINTABLE}*", 0, 64)] | None = None
    is_remote: bool = False


class SessionStarted(SessionEvent, frozen=True, kw_only=True, tag="session.started"):
    """A session began."""


class SessionActivity(SessionEvent, frozen=True, kw_only=True, tag="session.activity"):
    """Activity in a session since its previous such event: every counter is an increment."""

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
