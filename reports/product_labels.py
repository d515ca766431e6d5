"""What products are called in reports and on pages."""

PRODUCT_LABELS = {
    "chat": "Chat",
    "claude_code": "Claude Code",
    "cowork": "Cowork",
    "office_agent": "Office Agents",
    "claude_in_chrome": "Claude in Chrome",
    "claude_design": "Claude Design",
    "claude_tag": "Claude Tag",
    "science": "Science",
    "claude_console": "Claude Console",
    "managed_agents_api": "Managed Agents API",
    "message_batches_api": "Message Batches API",
    "messages_api": "Messages API",
    "other": "Other",
}
"""Products as people call them. A product that is not listed is shown as it is; none is shown as nothing."""
