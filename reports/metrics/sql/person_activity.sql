-- A person's activity from first to last: on each day, in each product, and in total. Activity without a product counts
-- as chat, except for sessions.
SELECT
    multiIf(grouping(day) = 0, 'day', grouping(place) = 0, 'product', '') AS part, day, place,
    uniqExactIf(thing, kind = 'chat') AS chats, sum(n_messages) AS all_messages,
    uniqExactIf(thing, kind = 'session') AS sessions, sum(n_lines) AS lines_accepted, sum(n_commits) AS all_commits,
    sum(n_pull_requests) AS all_pull_requests, uniqExactIf(thing, kind = 'project') AS projects,
    uniqExactIf(thing, kind = 'artifact') AS artifacts, sum(n_calls) AS connector_calls
FROM (
    SELECT
        day, if(product = '', 'chat', toString(product)) AS place, 'chat' AS kind, conversation_id AS thing,
        messages AS n_messages, 0 AS n_lines, 0 AS n_commits, 0 AS n_pull_requests, 0 AS n_calls
    FROM chat_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND actor_type = 'user' AND actor_id = {account:UUID} AND (started > 0 OR messages > 0)
    UNION ALL
    SELECT day, toString(product), 'session', session_id, messages, lines_added, commits, pull_requests, 0
    FROM session_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND actor_type = 'user' AND actor_id = {account:UUID}
    UNION ALL
    SELECT day, if(product = '', 'chat', toString(product)), 'project', project_id, 0, 0, 0, 0, 0
    FROM project_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND actor_type = 'user' AND actor_id = {account:UUID} AND used > 0
    UNION ALL
    SELECT day, if(product = '', 'chat', toString(product)), 'artifact', artifact_id, 0, 0, 0, 0, 0
    FROM artifact_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND actor_type = 'user' AND actor_id = {account:UUID} AND created > 0
    UNION ALL
    SELECT day, if(product = '', 'chat', toString(product)), 'calls', session_id, 0, 0, 0, 0, uses
    FROM connector_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND actor_type = 'user' AND actor_id = {account:UUID} AND kind = 'connector' AND uses > 0
)
GROUP BY GROUPING SETS ((day), (place), ())
ORDER BY part, day, place
