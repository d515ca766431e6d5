-- Artifacts made in [first, last] by type and whether they were ever shared. Later events about an artifact may come
-- from another surface or project, so its cells are combined before it is classified. Published counts as shared.
WITH
    toUUID('00000000-0000-0000-0000-000000000000') AS nil,
    held AS (
        SELECT account_id, group_id, since, until
        FROM groups_held(organization_id = {organization_id:UUID}, first = {first:Date}, last = {last:Date},
            groups = {groups:Array(UUID)}, everyone = {everyone:Bool}, by_group = {by_group:Bool})
    ),
    made AS (
        SELECT
            day, actor_id, artifact_id, argMax(artifact_type, created > 0) AS artifact_type,
            argMax(if(product = '', 'chat', toString(product)), created > 0) AS made_in,
            sum(published) > 0 AS is_published, is_published OR sum(shared) > 0 AS is_shared
        FROM artifact_cells_current
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND if(empty({users:Array(UUID)}), true, actor_id IN {users:Array(UUID)})
        GROUP BY day, actor_id, artifact_id
        HAVING sum(created) > 0
            AND (empty({products:Array(String)}) OR has({products:Array(String)}, made_in))
            AND (empty({types:Array(String)}) OR has({types:Array(String)}, artifact_type))
            AND (empty({shared:Array(Bool)}) OR has({shared:Array(Bool)}, is_shared))
    ),
    owned AS (
        SELECT
            made.*, held.group_id AS group_id,
            if({by_user:Bool}, actor_id, nil) AS user_id, if({by_product:Bool}, made_in, '') AS product_key
        FROM made LEFT JOIN held ON held.account_id = made.actor_id
        WHERE if({everyone:Bool}, true, day BETWEEN held.since AND held.until)
    ),
    counted AS (
        SELECT
            artifact_type, is_shared, product_key, user_id, group_id,
            concat(artifact_type, '\x1f', toString(is_shared), '\x1f', product_key, '\x1f', toString(user_id), '\x1f',
                toString(group_id)) AS key,
            map(
                'artifacts_created_count', uniqExact(artifact_id),
                'published_artifacts_created_count', uniqExactIf(artifact_id, is_published),
                'distinct_user_count', uniqExact(actor_id)
            ) AS counts
        FROM owned
        GROUP BY artifact_type, is_shared, product_key, user_id, group_id
    )
SELECT
    key, '' AS rank, artifact_type, is_shared, product_key, toString(user_id) AS user_id,
    toString(counted.group_id) AS group_id, group_names.name AS group_name, counts
FROM counted
LEFT JOIN (SELECT group_id, name FROM group_names WHERE organization_id = {organization_id:UUID} AND {by_group:Bool})
    AS group_names ON group_names.group_id = counted.group_id
WHERE key > {after_key:String}
ORDER BY key
LIMIT {limit:UInt32}
