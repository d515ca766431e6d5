"""Labels of products in reports and on pages."""

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
"""The label of each product. An unlisted product is shown by its name; no product is shown as an empty text."""
