-- Skills by name, and by product, person and group if requested, with the cost of the usage that names them. Activity
-- without a product counts as chat. An event without a session does not count as a session.
WITH
    toUUID('00000000-0000-0000-0000-000000000000') AS nil, toInt256('1000000000000000000000000') AS units_of_a_dollar,
    toDateTime({first:Date}, 'UTC') AS begins, toDateTime({last:Date} + 1, 'UTC') AS ends,
    held AS (
        SELECT account_id, group_id, since, until
        FROM groups_held(organization_id = {organization_id:UUID}, first = {first:Date}, last = {last:Date},
            groups = {groups:Array(UUID)}, everyone = {everyone:Bool}, by_group = {by_group:Bool})
    ),
    named AS (
        SELECT attribution_id, arraySort(arrayDistinct(skills)) AS skills
        FROM attributions FINAL
        WHERE notEmpty(skills) AND attribution_id IN (
            SELECT attribution_id FROM spend_cells
            WHERE organization_id = {organization_id:UUID} AND hour >= begins AND hour < ends
        )
    ),
    -- The value at list price counts for each of the skills. The amount paid is split among them in whole units of
    -- 10^-24 USD (net spend has no more digits); if it is not divisible, the first skills by name get one unit more. So
    -- disjoint rows add up to the amount paid.
    charged AS (
        SELECT
            day, actor_id, product, skill.1 AS name, isNull(list_usd) AS unpriced,
            toInt256(ifNull(toDecimal256(list_usd, 24), 0) * units_of_a_dollar) AS list_units,
            toInt256(if(reported, ifNull(net_usd, 0), 0) * units_of_a_dollar) AS net_units,
            intDiv(net_units, length(skills)) + (skill.2 <= net_units % length(skills)) AS share_units
        FROM (
            SELECT
                spend.day AS day, spend.actor_id AS actor_id, spend.product AS product, spend.list_usd AS list_usd,
                spend.net_usd AS net_usd, spend.reported AS reported, named.skills AS skills,
                arrayJoin(arrayZip(skills, arrayEnumerate(skills))) AS skill
            FROM spend INNER JOIN named ON named.attribution_id = spend.attribution_id
            WHERE organization_id = {organization_id:UUID} AND hour >= begins AND hour < ends AND actor_type = 'user'
        )
    ),
    acts AS (
        SELECT
            acts.*, uses > 0 AND session_id != nil AS in_session, in_session AND product = 'office_agent' AS in_office,
            held.group_id AS group_id, if({by_user:Bool}, actor_id, nil) AS user_id,
            if({by_product:Bool}, if(product = '', 'chat', toString(product)), '') AS product_key
        FROM (
            SELECT
                day, actor_id, product, name, surface, session_id, uses, enabled,
                toInt256(0) AS list_units, toInt256(0) AS share_units, false AS unpriced
            FROM connector_cells_current
            WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} AND actor_type = 'user'
                AND kind = 'skill' AND (uses > 0 OR enabled > 0)
            UNION ALL
            SELECT day, actor_id, product, name, '', nil, 0, 0, list_units, share_units, unpriced
            FROM charged
        ) AS acts
        LEFT JOIN held ON held.account_id = acts.actor_id
        WHERE if(empty({users:Array(UUID)}), true, actor_id IN {users:Array(UUID)})
            AND (empty({products:Array(String)}) OR if(product = '', 'chat', product) IN {products:Array(String)})
            AND if({everyone:Bool}, true, day BETWEEN held.since AND held.until)
            AND ({any_name:Bool} OR has({names:Array(String)}, name))
    ),
    counted AS (
        SELECT
            name, product_key, user_id, group_id,
            concat(name, '\x1f', product_key, '\x1f', toString(user_id), '\x1f', toString(group_id)) AS key,
            map(
                'distinct_user_count', uniqExactIf(actor_id, uses > 0),
                'invocation_count', sum(uses),
                'enable_count', uniqExactIf(actor_id, enabled > 0),
                'chat_metrics.distinct_conversation_skill_used_count',
                uniqExactIf(session_id, in_session AND product IN ('', 'chat')),
                'claude_code_metrics.distinct_session_skill_used_count',
                uniqExactIf(session_id, in_session AND product = 'claude_code'),
                'cowork_metrics.distinct_session_skill_used_count', uniqExactIf(session_id, in_session AND product = 'cowork'),
                'office_metrics.excel.distinct_session_skill_used_count', uniqExactIf(session_id, in_office AND surface = 'excel'),
                'office_metrics.outlook.distinct_session_skill_used_count',
                uniqExactIf(session_id, in_office AND surface = 'outlook'),
                'office_metrics.powerpoint.distinct_session_skill_used_count',
                uniqExactIf(session_id, in_office AND surface = 'powerpoint'),
                'office_metrics.word.distinct_session_skill_used_count', uniqExactIf(session_id, in_office AND surface = 'word')
            ) AS counts,
            if(max(unpriced), '', toString(sum(list_units))) AS list_price, if(max(unpriced), '', toString(sum(share_units))) AS overage,
            multiIf(
                {order_by:String} = '', name,
                {order_by:String} = 'attributed_list_price', if(list_price = '', '', leftPad(list_price, 77, '0')),
                {order_by:String} = 'estimated_overage_spend', if(overage = '', '', leftPad(overage, 77, '0')),
                leftPad(toString(counts[{order_by:String}]), 20, '0')
            ) AS rank
        FROM acts
        GROUP BY name, product_key, user_id, group_id
    )
SELECT
    key, rank, counted.name AS name, product_key, toString(user_id) AS user_id, toString(counted.group_id) AS group_id,
    group_names.name AS group_name, counts, list_price, overage
FROM counted
LEFT JOIN (SELECT group_id, name FROM group_names WHERE organization_id = {organization_id:UUID} AND {by_group:Bool})
    AS group_names ON group_names.group_id = counted.group_id
WHERE {after_key:String} = ''
    OR if({descending:Bool}, rank < {after_rank:String}, rank > {after_rank:String})
    OR (rank = {after_rank:String} AND key > {after_key:String})
ORDER BY if({descending:Bool}, '', rank), if({descending:Bool}, rank, '') DESC, key
LIMIT {limit:UInt32}
