-- People who have any of a metric, ordered by its value. A metric comes from one table (web searches from two), which
-- its name determines, so ClickHouse reads no other. The counts are those of users.sql; tests/api/test_users_ranks.py
-- compares the two.
WITH
    splitByChar('.', {order_by:String}) AS path, path[-1] AS metric,
    extract(metric, '(connector|skill|plugin)s_used_count$') AS asked_kind,
    if(path[2] = 'tool_actions', path[3], extract(metric, '^(.*_tool)_count$')) AS asked_tool,
    transform(path[1],
        ['chat_metrics', 'claude_code_metrics', 'cowork_metrics', 'office_metrics', 'design_metrics', 'science_metrics'],
        ['chat', 'claude_code', 'cowork', 'office_agent', 'claude_design', 'science'], '') AS asked,
    held AS (
        SELECT account_id, since, until
        FROM groups_held(organization_id = {organization_id:UUID}, first = {first:Date}, last = {last:Date},
            groups = {groups:Array(UUID)}, everyone = {everyone:Bool}, by_group = false)
    ),
    acts AS (
        SELECT
            day, actor_id, conversation_id AS thing, '' AS name,
            multiIf(
                metric = 'thinking_message_count', thinking_messages, metric = 'web_search_count', web_searches,
                metric = 'shared_conversations_viewed_count', shared_views, messages) AS amount
        FROM chat_cells_current
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND {order_by:String} IN ('chat_metrics.distinct_conversation_count', 'chat_metrics.message_count',
                'chat_metrics.thinking_message_count', 'chat_metrics.shared_conversations_viewed_count', 'web_search_count')
        UNION ALL
        SELECT day, actor_id, file_id, '', 1 FROM file_cells_current
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND metric = 'distinct_files_uploaded_count'
            AND if(product = '', 'chat', product) = asked
        UNION ALL
        SELECT day, actor_id, project_id, '', if(metric = 'distinct_projects_created_count', created, used) FROM project_cells_current
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND metric IN ('distinct_projects_created_count', 'distinct_projects_used_count')
            AND if(product = '', 'chat', product) = asked
        UNION ALL
        SELECT day, actor_id, artifact_id, '', created FROM artifact_cells_current
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND metric IN ('artifacts_created_count', 'distinct_artifacts_created_count')
            AND if(product = '', 'chat', product) = asked
        UNION ALL
        SELECT day, actor_id, session_id, name, uses FROM connector_cells_current
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND asked_kind != '' AND kind = asked_kind
            AND if(product = '', 'chat', product) = asked AND (asked != 'office_agent' OR surface = path[2])
        UNION ALL
        SELECT
            day, actor_id, session_id, '',
            multiIf(
                metric = 'distinct_session_count', 1, metric = 'message_count', messages, metric = 'action_count', actions,
                metric = 'dispatch_turn_count', dispatch_turns, metric = 'delegation_count', delegations,
                metric = 'remote_compute_job_count', remote_jobs, metric = 'commit_count', commits,
                metric = 'pull_request_count', pull_requests, metric = 'added_count', lines_added,
                metric = 'removed_count', lines_removed,
                asked_tool = 'edit_tool', if(metric = 'rejected_count', edit_rejected, edit_accepted),
                asked_tool = 'multi_edit_tool', if(metric = 'rejected_count', multi_edit_rejected, multi_edit_accepted),
                asked_tool = 'write_tool', if(metric = 'rejected_count', write_rejected, write_accepted),
                asked_tool = 'notebook_edit_tool',
                if(metric = 'rejected_count', notebook_edit_rejected, notebook_edit_accepted),
                edit_accepted + multi_edit_accepted + write_accepted + notebook_edit_accepted)
        FROM session_cells_current
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND asked NOT IN ('', 'chat') AND product = asked AND (asked != 'office_agent' OR surface = path[2])
            AND (asked_tool != '' OR metric IN ('distinct_session_count', 'message_count', 'action_count',
                'dispatch_turn_count', 'delegation_count', 'remote_compute_job_count', 'commit_count', 'pull_request_count',
                'added_count', 'removed_count', 'file_edit_count', 'sessions_with_file_edits_count'))
        UNION ALL
        SELECT toDate(hour) AS day, actor_id, actor_id, '', web_search_requests FROM spend_cells_current
        WHERE web_search_requests > 0 AND organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND metric = 'web_search_count' AND product = 'claude_code'
    ),
    ranked AS (
        SELECT
            toString(acts.actor_id) AS key,
            if(startsWith(metric, 'distinct_') OR metric IN ('artifacts_created_count', 'sessions_with_file_edits_count'),
                if(asked_kind = '', uniqExact(acts.thing), uniqExact(acts.name)), sum(acts.amount)) AS value,
            leftPad(toString(value), 20, '0') AS rank
        FROM acts
        LEFT JOIN held ON held.account_id = acts.actor_id
        WHERE acts.amount > 0 AND if({everyone:Bool}, true, acts.day BETWEEN held.since AND held.until)
        GROUP BY acts.actor_id
    )
SELECT key, rank
FROM ranked
WHERE {after_key:String} = ''
    OR if({descending:Bool}, rank < {after_rank:String}, rank > {after_rank:String})
    OR (rank = {after_rank:String} AND key > {after_key:String})
ORDER BY if({descending:Bool}, '', rank), if({descending:Bool}, rank, '') DESC, key
LIMIT {limit:UInt32}
