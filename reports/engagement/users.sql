-- One row per person, or with by_group one per group: every metric of their activity in [first, last], by dotted name.
-- Each branch counts one table: its counted rows, their subjects (the person, or each group that the person was in on
-- that day), and the counts. No two branches give the same name for one subject, so summing their maps only merges
-- them. With projects, whatever cannot happen in a chat project is left out.
-- With by_group the groups' days are a single value: ClickHouse plans a CTE again wherever it is used.
WITH
    (
        SELECT groupArray((account_id, group_id, since, until))
        FROM groups_held(organization_id = {organization_id:UUID}, first = {first:Date}, last = {last:Date},
            groups = {groups:Array(UUID)}, everyone = {everyone:Bool}, by_group = {by_group:Bool})
    ) AS all_held,
    held AS (
        SELECT one.1 AS account_id, one.2 AS group_id, one.3 AS since, one.4 AS until
        FROM (SELECT arrayJoin(all_held) AS one)
    ),
    counted AS (
        SELECT subject, max(day) AS last_day, uniqExactStateIf(actor_id, {by_group:Bool}) AS people, map(
            'chat_metrics.distinct_conversation_count', uniqExactIf(conversation_id, messages > 0),
            'chat_metrics.message_count', sum(messages),
            'chat_metrics.thinking_message_count', sum(thinking_messages),
            'chat_metrics.shared_conversations_viewed_count', sum(shared_views),
            'web_search_count', sum(web_searches)
        ) AS counts
        FROM (
            SELECT acts.*, if({by_group:Bool}, held.group_id, actor_id) AS subject
            FROM chat_cells_current AS acts LEFT JOIN held ON held.account_id = acts.actor_id
            WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
                AND if(empty({users:Array(UUID)}), true, actor_id IN {users:Array(UUID)})
                AND if({everyone:Bool}, true, day BETWEEN held.since AND held.until)
                AND (messages > 0 OR shared_views > 0 OR web_searches > 0)
                AND (empty({projects:Array(UUID)}) OR has({projects:Array(UUID)}, project_id))
        )
        GROUP BY subject
        UNION ALL
        SELECT subject, max(day), uniqExactStateIf(actor_id, {by_group:Bool}), map(
            'chat_metrics.distinct_files_uploaded_count', uniqExact(file_id)
        )
        FROM (
            SELECT acts.*, if({by_group:Bool}, held.group_id, actor_id) AS subject
            FROM file_cells_current AS acts LEFT JOIN held ON held.account_id = acts.actor_id
            WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
                AND if(empty({users:Array(UUID)}), true, actor_id IN {users:Array(UUID)})
                AND if({everyone:Bool}, true, day BETWEEN held.since AND held.until)
                AND product IN ('', 'chat') AND (empty({projects:Array(UUID)}) OR has({projects:Array(UUID)}, project_id))
        )
        GROUP BY subject
        UNION ALL
        SELECT subject, max(day), uniqExactStateIf(actor_id, {by_group:Bool}), map(
            concat(place, '.distinct_projects_created_count'), uniqExactIf(project_id, created > 0),
            concat(place, '.distinct_projects_used_count'), uniqExactIf(project_id, used > 0)
        )
        FROM (
            SELECT
                acts.*, if({by_group:Bool}, held.group_id, actor_id) AS subject,
                if(product = 'claude_design', 'design_metrics', 'chat_metrics') AS place
            FROM project_cells_current AS acts LEFT JOIN held ON held.account_id = acts.actor_id
            WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
                AND if(empty({users:Array(UUID)}), true, actor_id IN {users:Array(UUID)})
                AND if({everyone:Bool}, true, day BETWEEN held.since AND held.until)
                AND product IN ('', 'chat', 'claude_design')
                AND (empty({projects:Array(UUID)}) OR (place = 'chat_metrics' AND has({projects:Array(UUID)}, project_id)))
        )
        GROUP BY subject, place
        UNION ALL
        SELECT subject, max(day), uniqExactStateIf(actor_id, {by_group:Bool}), map(place, uniqExact(artifact_id))
        FROM (
            SELECT
                acts.*, if({by_group:Bool}, held.group_id, actor_id) AS subject,
                multiIf(product = 'claude_code', 'claude_code_metrics.core_metrics.artifacts_created_count',
                    product = 'cowork', 'cowork_metrics.artifacts_created_count',
                    'chat_metrics.distinct_artifacts_created_count') AS place
            FROM artifact_cells_current AS acts LEFT JOIN held ON held.account_id = acts.actor_id
            WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
                AND if(empty({users:Array(UUID)}), true, actor_id IN {users:Array(UUID)})
                AND if({everyone:Bool}, true, day BETWEEN held.since AND held.until)
                AND created > 0 AND product IN ('', 'chat', 'claude_code', 'cowork')
                AND (empty({projects:Array(UUID)}) OR (product IN ('', 'chat') AND has({projects:Array(UUID)}, project_id)))
        )
        GROUP BY subject, place
        UNION ALL
        SELECT subject, max(day), uniqExactStateIf(actor_id, {by_group:Bool}), map(
            concat(place, '.connectors_used_count'), sumIf(uses, kind = 'connector'),
            concat(place, '.distinct_connectors_used_count'), uniqExactIf(name, kind = 'connector'),
            concat(place, '.skills_used_count'), sumIf(uses, kind = 'skill'),
            concat(place, '.distinct_skills_used_count'), uniqExactIf(name, kind = 'skill'),
            concat(place, '.plugins_used_count'), sumIf(uses, kind = 'plugin'),
            concat(place, '.distinct_plugins_used_count'), uniqExactIf(name, kind = 'plugin')
        )
        FROM (
            SELECT
                acts.*, if({by_group:Bool}, held.group_id, actor_id) AS subject,
                multiIf(product = 'office_agent', concat('office_metrics.', surface), product IN ('', 'chat'), 'chat_metrics',
                    concat(product, '_metrics')) AS place
            FROM connector_cells_current AS acts LEFT JOIN held ON held.account_id = acts.actor_id
            WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
                AND if(empty({users:Array(UUID)}), true, actor_id IN {users:Array(UUID)})
                AND if({everyone:Bool}, true, day BETWEEN held.since AND held.until)
                AND uses > 0 AND product IN ('', 'chat', 'claude_code', 'cowork', 'science', 'office_agent')
                AND (empty({projects:Array(UUID)}) OR (place = 'chat_metrics' AND has({projects:Array(UUID)}, project_id)))
        )
        GROUP BY subject, place
        UNION ALL
        SELECT subject, max(day), uniqExactStateIf(actor_id, {by_group:Bool}), map(
            concat(place, '.distinct_session_count'), uniqExact(session_id),
            concat(place, '.message_count'), sum(messages),
            concat(place, '.action_count'), sum(actions),
            concat(place, '.dispatch_turn_count'), sum(dispatch_turns),
            concat(place, '.delegation_count'), sum(delegations),
            concat(place, '.remote_compute_job_count'), sum(remote_jobs),
            concat(place, '.commit_count'), sum(commits),
            concat(place, '.pull_request_count'), sum(pull_requests),
            concat(place, '.lines_of_code.added_count'), sum(lines_added),
            concat(place, '.lines_of_code.removed_count'), sum(lines_removed),
            concat(tools, 'edit_tool', accepted), sum(edit_accepted),
            concat(tools, 'multi_edit_tool', accepted), sum(multi_edit_accepted),
            concat(tools, 'write_tool', accepted), sum(write_accepted),
            concat(tools, 'notebook_edit_tool', accepted), sum(notebook_edit_accepted),
            concat(tools, 'edit_tool.rejected_count'), sum(edit_rejected),
            concat(tools, 'multi_edit_tool.rejected_count'), sum(multi_edit_rejected),
            concat(tools, 'write_tool.rejected_count'), sum(write_rejected),
            concat(tools, 'notebook_edit_tool.rejected_count'), sum(notebook_edit_rejected),
            concat(place, '.file_edit_count'),
                sum(edit_accepted + multi_edit_accepted + write_accepted + notebook_edit_accepted),
            concat(place, '.sessions_with_file_edits_count'),
                uniqExactIf(session_id, edit_accepted + multi_edit_accepted + write_accepted + notebook_edit_accepted > 0)
        )
        FROM (
            SELECT
                acts.*, if({by_group:Bool}, held.group_id, actor_id) AS subject,
                multiIf(product = 'office_agent', concat('office_metrics.', surface),
                    product = 'claude_code', 'claude_code_metrics.core_metrics',
                    product = 'claude_design', 'design_metrics', concat(product, '_metrics')) AS place,
                if(product = 'claude_code', 'claude_code_metrics.tool_actions.', concat(place, '.')) AS tools,
                if(product = 'claude_code', '.accepted_count', '_count') AS accepted
            FROM session_cells_current AS acts LEFT JOIN held ON held.account_id = acts.actor_id
            WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
                AND if(empty({users:Array(UUID)}), true, actor_id IN {users:Array(UUID)})
                AND if({everyone:Bool}, true, day BETWEEN held.since AND held.until)
                AND empty({projects:Array(UUID)})
                AND product IN ('claude_code', 'cowork', 'science', 'claude_design', 'office_agent')
        )
        GROUP BY subject, place, tools, accepted
        UNION ALL
        SELECT subject, max(day), uniqExactStateIf(actor_id, {by_group:Bool}), map('web_search_count', sum(web_search_requests))
        FROM (
            SELECT acts.*, if({by_group:Bool}, held.group_id, actor_id) AS subject
            FROM (SELECT *, toDate(hour) AS day FROM spend_cells_current WHERE web_search_requests > 0) AS acts
            LEFT JOIN held ON held.account_id = acts.actor_id
            WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
                AND if(empty({users:Array(UUID)}), true, actor_id IN {users:Array(UUID)})
                AND if({everyone:Bool}, true, day BETWEEN held.since AND held.until)
                AND empty({projects:Array(UUID)}) AND product = 'claude_code'
        )
        GROUP BY subject
    ),
    summed AS (
        SELECT
            counted.subject AS subject, max(counted.last_day) AS last_day, uniqExactMerge(counted.people) AS distinct_users,
            sumMap(counted.counts) AS counts
        FROM counted
        GROUP BY subject
    ),
    placed AS (
        SELECT
            toString(summed.subject) AS key, summed.last_day AS last_day, summed.distinct_users AS distinct_users,
            summed.counts AS counts, people.email AS email, group_names.name AS group_name,
            if({order_by:String} = '', email, leftPad(toString(counts[{order_by:String}]), 20, '0')) AS rank
        FROM summed
        LEFT JOIN (
            SELECT account_id, email FROM people_of(organization_id = {organization_id:UUID})
            WHERE NOT {by_group:Bool} AND if(empty({users:Array(UUID)}), true, account_id IN {users:Array(UUID)})
        ) AS people ON people.account_id = summed.subject
        LEFT JOIN (SELECT group_id, name FROM group_names WHERE organization_id = {organization_id:UUID} AND {by_group:Bool})
            AS group_names ON group_names.group_id = summed.subject
    )
SELECT key, rank, email, group_name, last_day, distinct_users, counts
FROM placed
WHERE {after_key:String} = ''
    OR if({descending:Bool}, rank < {after_rank:String}, rank > {after_rank:String})
    OR (rank = {after_rank:String} AND key > {after_key:String})
ORDER BY if({descending:Bool}, '', rank), if({descending:Bool}, rank, '') DESC, key
LIMIT {limit:UInt32}
