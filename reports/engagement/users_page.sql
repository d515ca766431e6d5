-- The people of one page of users.sql in order of e-mail: who did anything that users.sql counts. Counting a page's
-- people alone is several times faster than counting everybody to show a hundred.
WITH
    held AS (
        SELECT account_id, arrayFilter(m -> has({groups:Array(UUID)}, m.1), memberships) AS spans
        FROM group_memberships
        WHERE organization_id = {organization_id:UUID} AND NOT {everyone:Bool}
    ),
    acts AS (
        SELECT actor_id, day FROM chat_days
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND (messages > 0 OR shared_views > 0 OR web_searches > 0)
            AND (empty({projects:Array(UUID)}) OR has({projects:Array(UUID)}, project_id))
        UNION ALL
        SELECT actor_id, day FROM file_days
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND product IN ('', 'chat') AND (empty({projects:Array(UUID)}) OR has({projects:Array(UUID)}, project_id))
        UNION ALL
        SELECT actor_id, day FROM project_days
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND product IN ('', 'chat', 'claude_design')
            AND (empty({projects:Array(UUID)})
                OR (product IN ('', 'chat') AND has({projects:Array(UUID)}, project_id)))
        UNION ALL
        SELECT actor_id, day FROM artifact_days
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND created > 0 AND product IN ('', 'chat', 'claude_code', 'cowork')
            AND (empty({projects:Array(UUID)})
                OR (product IN ('', 'chat') AND has({projects:Array(UUID)}, project_id)))
        UNION ALL
        SELECT actor_id, day FROM extension_days
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND uses > 0 AND product IN ('', 'chat', 'claude_code', 'cowork', 'science', 'office_agent')
            AND (empty({projects:Array(UUID)})
                OR (product IN ('', 'chat') AND has({projects:Array(UUID)}, project_id)))
        UNION ALL
        SELECT actor_id, day FROM session_days
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND empty({projects:Array(UUID)})
            AND product IN ('claude_code', 'cowork', 'science', 'claude_design', 'office_agent')
        UNION ALL
        SELECT actor_id, day FROM search_days
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND empty({projects:Array(UUID)}) AND product = 'claude_code'
    ),
    active AS (
        SELECT DISTINCT acts.actor_id AS account_id
        FROM acts LEFT JOIN held ON held.account_id = acts.actor_id
        WHERE ({everyone:Bool} OR arrayExists(m -> acts.day BETWEEN m.2 AND m.3, held.spans))
            AND (empty({users:Array(UUID)}) OR has({users:Array(UUID)}, acts.actor_id))
    )
SELECT toString(active.account_id) AS key, people.email AS rank
FROM active
LEFT JOIN people ON people.account_id = active.account_id
WHERE {after_key:String} = ''
    OR if({descending:Bool}, rank < {after_rank:String}, rank > {after_rank:String})
    OR (rank = {after_rank:String} AND key > {after_key:String})
ORDER BY if({descending:Bool}, '', rank), if({descending:Bool}, rank, '') DESC, key
LIMIT {limit:UInt32}
