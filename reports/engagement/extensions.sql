-- Connectors or plugins ({kind}) by name, and by product, person and group if requested. Activity without a product
-- counts as chat. An event without a session does not count as a session.
WITH
    toUUID('00000000-0000-0000-0000-000000000000') AS nil,
    concat('distinct_session_', {kind:String}, '_used_count') AS sessions,
    held AS (
        SELECT account_id, group_id, since, until
        FROM groups_held(organization_id = {organization_id:UUID}, first = {first:Date}, last = {last:Date},
            groups = {groups:Array(UUID)}, everyone = {everyone:Bool}, by_group = {by_group:Bool})
    ),
    acts AS (
        SELECT
            name, actor_id, surface, auth_mode, session_id, read_calls, write_calls, unclassified_calls, uses, installed,
            product, uses > 0 AND session_id != nil AS in_session, in_session AND product = 'office_agent' AS in_office,
            held.group_id AS group_id, if({by_user:Bool}, actor_id, nil) AS user_id,
            if({by_product:Bool}, if(product = '', 'chat', toString(product)), '') AS product_key
        FROM connector_cells_current AS acts LEFT JOIN held ON held.account_id = acts.actor_id
        WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
            AND kind = {kind:String} AND (uses > 0 OR enabled > 0 OR installed > 0)
            AND if(empty({users:Array(UUID)}), true, actor_id IN {users:Array(UUID)})
            AND (empty({products:Array(String)}) OR if(product = '', 'chat', product) IN {products:Array(String)})
            AND if({everyone:Bool}, true, day BETWEEN held.since AND held.until)
            AND ({any_name:Bool} OR has({names:Array(String)}, name))
    ),
    counted AS (
        SELECT
            name, product_key, user_id, group_id,
            concat(name, '\x1f', product_key, '\x1f', toString(user_id), '\x1f', toString(group_id)) AS key,
            map(
                'distinct_user_count', uniqExactIf(actor_id, uses > 0 OR ({kind:String} = 'plugin' AND installed > 0)),
                'invocation_count', sum(uses),
                'read_call_count', sum(read_calls),
                'write_call_count', sum(write_calls),
                'unclassified_call_count', sum(unclassified_calls),
                'individual_auth_distinct_user_count', uniqExactIf(actor_id, uses > 0 AND {kind:String} = 'connector' AND auth_mode = 'individual'),
                'managed_auth_distinct_user_count', uniqExactIf(actor_id, uses > 0 AND {kind:String} = 'connector' AND auth_mode = 'managed'),
                'install_count', uniqExactIf(actor_id, installed > 0),
                concat('chat_metrics.distinct_conversation_', {kind:String}, '_used_count'),
                uniqExactIf(session_id, in_session AND product IN ('', 'chat')),
                concat('claude_code_metrics.', sessions), uniqExactIf(session_id, in_session AND product = 'claude_code'),
                concat('cowork_metrics.', sessions), uniqExactIf(session_id, in_session AND product = 'cowork'),
                concat('office_metrics.excel.', sessions), uniqExactIf(session_id, in_office AND surface = 'excel'),
                concat('office_metrics.outlook.', sessions), uniqExactIf(session_id, in_office AND surface = 'outlook'),
                concat('office_metrics.powerpoint.', sessions), uniqExactIf(session_id, in_office AND surface = 'powerpoint'),
                concat('office_metrics.word.', sessions), uniqExactIf(session_id, in_office AND surface = 'word')
            ) AS counts,
            if({order_by:String} = '', name, leftPad(toString(counts[{order_by:String}]), 20, '0')) AS rank
        FROM acts
        GROUP BY name, product_key, user_id, group_id
    )
SELECT
    key, rank, counted.name AS name, product_key, toString(user_id) AS user_id, toString(counted.group_id) AS group_id,
    group_names.name AS group_name, counts
FROM counted
LEFT JOIN (SELECT group_id, name FROM group_names WHERE organization_id = {organization_id:UUID} AND {by_group:Bool})
    AS group_names ON group_names.group_id = counted.group_id
WHERE {after_key:String} = ''
    OR if({descending:Bool}, rank < {after_rank:String}, rank > {after_rank:String})
    OR (rank = {after_rank:String} AND key > {after_key:String})
ORDER BY if({descending:Bool}, '', rank), if({descending:Bool}, rank, '') DESC, key
LIMIT {limit:UInt32}
