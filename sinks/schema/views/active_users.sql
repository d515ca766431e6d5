-- People active on a UTC day (docs/metrics.md), and the kinds of their activity. The count of a trailing window is
-- uniqExact(account_id) over its days: distinct people are never summed.
CREATE OR REPLACE VIEW active_users AS
SELECT
    organization_id, day, account_id,
    max(in_chat) AS chat, max(in_claude_code) AS claude_code, max(in_cowork) AS cowork
FROM (
    SELECT organization_id, day, actor_id AS account_id, true AS in_chat, false AS in_claude_code, false AS in_cowork
    FROM chat_cells_current
    WHERE actor_type = 'user' AND messages > 0
    UNION ALL
    SELECT organization_id, day, actor_id AS account_id, false, product = 'claude_code', product = 'cowork'
    FROM session_cells_current
    WHERE actor_type = 'user'
        AND ((product = 'claude_code' AND (tool_uses > 0 OR commits > 0 OR pull_requests > 0))
            OR (product = 'cowork' AND (tool_uses > 0 OR messages > 0)))
)
GROUP BY organization_id, day, account_id;
