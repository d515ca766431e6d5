-- People active per day and product: a chat with a message, wherever it was sent, is activity in chat; a session is
-- activity in its product. Rows may occur more than once: count with uniqExact.
CREATE OR REPLACE VIEW active_in_products AS
SELECT organization_id, day, actor_id AS account_id, 'chat' AS product
FROM chat_cells_current WHERE actor_type = 'user' AND messages > 0
UNION ALL
SELECT organization_id, day, actor_id AS account_id, toString(product) AS product
FROM session_cells_current
WHERE actor_type = 'user' AND product NOT IN ('', 'chat')
    AND (tool_uses > 0 OR if(product = 'claude_code', commits > 0 OR pull_requests > 0, messages > 0));
