-- Chat projects that were worked in: their messages and conversations, and the people who sent or opened them.
WITH
    toUUID('00000000-0000-0000-0000-000000000000') AS nil,
    held AS (
        SELECT account_id, group_id, since, until
        FROM groups_held(organization_id = {organization_id:UUID}, first = {first:Date}, last = {last:Date},
            groups = {groups:Array(UUID)}, everyone = {everyone:Bool}, by_group = {by_group:Bool})
    ),
    acts AS (
        SELECT
            project_id, conversation_id, messages, actor_id, held.group_id AS group_id,
            if({by_user:Bool}, actor_id, nil) AS user_id
        FROM (
            SELECT day, actor_id, project_id, conversation_id, messages FROM chat_cells_current
            WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
                AND actor_type = 'user' AND project_id != nil AND messages > 0
            UNION ALL
            SELECT day, actor_id, project_id, nil, 0 FROM project_cells_current
            WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
                AND actor_type = 'user' AND product IN ('', 'chat') AND used > 0
        ) AS acts
        LEFT JOIN held ON held.account_id = acts.actor_id
        WHERE if(empty({users:Array(UUID)}), true, actor_id IN {users:Array(UUID)})
            AND (empty({projects:Array(UUID)}) OR has({projects:Array(UUID)}, project_id))
            AND if({everyone:Bool}, true, day BETWEEN held.since AND held.until)
    ),
    counted AS (
        SELECT
            project_id, user_id, group_id,
            concat(toString(project_id), '\x1f', toString(user_id), '\x1f', toString(group_id)) AS key,
            map(
                'distinct_user_count', uniqExact(actor_id),
                'distinct_conversation_count', uniqExactIf(conversation_id, messages > 0),
                'message_count', sum(messages)
            ) AS counts,
            if({order_by:String} = '', toString(project_id), leftPad(toString(counts[{order_by:String}]), 20, '0')) AS rank
        FROM acts
        GROUP BY project_id, user_id, group_id
    ),
    saved AS (
        SELECT
            toUUID(subject_id) AS project_id, JSONExtractString(detail, 'name') AS name,
            JSONExtractString(detail, 'created_at') AS created_at,
            toUUIDOrZero(JSONExtractString(detail, 'created_by')) AS created_by
        FROM directory_objects
        WHERE organization_id = {organization_id:UUID} AND type = 'project.saved'
    )
SELECT
    key, rank, toString(counted.project_id) AS project_id, toString(user_id) AS user_id, toString(counted.group_id) AS group_id,
    group_names.name AS group_name, counts, saved.name AS name, saved.created_at AS created_at,
    toString(saved.created_by) AS created_by, people.email AS email
FROM counted
LEFT JOIN saved ON saved.project_id = counted.project_id
LEFT JOIN people_of(organization_id = {organization_id:UUID}) AS people
    ON people.account_id = saved.created_by
LEFT JOIN (SELECT group_id, name FROM group_names WHERE organization_id = {organization_id:UUID} AND {by_group:Bool})
    AS group_names ON group_names.group_id = counted.group_id
WHERE {after_key:String} = ''
    OR if({descending:Bool}, rank < {after_rank:String}, rank > {after_rank:String})
    OR (rank = {after_rank:String} AND key > {after_key:String})
ORDER BY if({descending:Bool}, '', rank), if({descending:Bool}, rank, '') DESC, key
LIMIT {limit:UInt32}
