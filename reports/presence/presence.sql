-- Who was active on these days, and in which ways: per day and person, the sum of the bits of the kinds of activity
-- (reports/presence/activity_kinds.py). Each branch selects the cells that make a person active (docs/metrics.md) or
-- listed (reports/engagement/users.sql). A session is activity in its product; a chat with a message is activity in
-- chat, wherever it took place.
WITH mapFromArrays({kinds:Array(String)}, {bits:Array(UInt32)}) AS bit
SELECT day, actor_id, toUInt32(groupBitOr(ways)) AS all_ways
FROM (
    SELECT
        day, actor_id,
        if(messages > 0, bit['chat'], 0) + if(started > 0 OR messages > 0, bit['with chat'], 0)
            + if(messages > 0 OR shared_views > 0 OR web_searches > 0, bit['in the list of users'], 0) AS ways
    FROM chat_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND day IN {days:Array(Date)} AND actor_type = 'user'
    UNION ALL
    SELECT
        day, actor_id,
        if(tool_uses > 0 OR if(product = 'claude_code', commits > 0 OR pull_requests > 0, messages > 0),
            transform(toString(product), {kinds:Array(String)}, {bits:Array(UInt32)}, toUInt32(0)), 0)
        + if(product IN ('office_agent', 'claude_design', 'science')
                AND (messages > 0 OR tool_uses > 0 OR delegations > 0 OR remote_jobs > 0),
            bit[concat('busy in ', product)], 0)
        + if(product IN ('claude_code', 'cowork', 'science', 'claude_design', 'office_agent'), bit['in the list of users'], 0)
    FROM session_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND day IN {days:Array(Date)} AND actor_type = 'user' AND product NOT IN ('', 'chat')
    UNION ALL
    SELECT
        day, actor_id,
        if(created > 0 OR used > 0, bit['with project'], 0)
        + if(product IN ('', 'chat', 'claude_design'), bit['in the list of users'], 0)
    FROM project_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND day IN {days:Array(Date)} AND actor_type = 'user'
    UNION ALL
    SELECT
        day, actor_id,
        bit['with artifact']
        + if(product IN ('', 'chat', 'claude_code', 'cowork'), bit['in the list of users'], 0)
    FROM artifact_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND day IN {days:Array(Date)} AND actor_type = 'user' AND created > 0
    UNION ALL
    SELECT
        toDate(hour) AS day, actor_id,
        if(uncached_input_tokens + cache_read_input_tokens + cache_creation_5m_input_tokens
            + cache_creation_1h_input_tokens + output_tokens > 0, bit['with tokens'], 0)
        + if(product = 'claude_code' AND web_search_requests > 0, bit['in the list of users'], 0)
    FROM spend_cells_current
    WHERE organization_id = {organization_id:UUID} AND toDate(hour) BETWEEN {first:Date} AND {last:Date}
        AND toDate(hour) IN {days:Array(Date)} AND actor_type = 'user'
    UNION ALL
    SELECT day, actor_id, bit['in the list of users']
    FROM file_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND day IN {days:Array(Date)} AND actor_type = 'user' AND product IN ('', 'chat')
    UNION ALL
    SELECT day, actor_id, bit['in the list of users']
    FROM connector_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND day IN {days:Array(Date)} AND actor_type = 'user' AND uses > 0
        AND product IN ('', 'chat', 'claude_code', 'cowork', 'science', 'office_agent')
)
WHERE ways > 0
GROUP BY day, actor_id
