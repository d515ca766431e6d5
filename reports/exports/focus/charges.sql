-- An organization's charges, one row per day, cost center, actor, product, model, price and unit. Quantities and prices
-- are text, since many readers parse JSON numbers as floats; a price is null if it is unknown.
WITH
    -- The cost center of each group over time, as moments; '' is none.
    centers AS (
        SELECT
            subject_id AS group, JSONExtractString(detail, 'cost_center') AS cost_center, in_force_from AS begins,
            leadInFrame(in_force_from, 1, toDateTime64('2200-01-01', 6, 'UTC')) OVER (
                PARTITION BY subject_id ORDER BY in_force_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS ends
        FROM directory_changes WHERE organization_id = {organization_id:UUID} AND type = 'group.saved'
    ),
    -- Of several groups with a cost center, the one joined first applies, and of these the one with the smallest id.
    belongings AS (
        SELECT
            account_id,
            arraySort(groupArray((
                joined_at, group, greatest(joined_at, begins) AS from, least(left_at, ends) AS until, cost_center
            ))) AS groups
        FROM (
            SELECT account_id, toString(group_id) AS group, joined_at, ifNull(left_at, toDateTime64('2200-01-01', 6, 'UTC')) AS left_at
            FROM group_memberships WHERE organization_id = {organization_id:UUID}
        ) AS spans
        INNER JOIN centers ON centers.group = spans.group
        WHERE cost_center != '' AND from < until
        GROUP BY account_id
    ),
    usage AS (
        SELECT
            spend.*,
            if(actor_type = 'user', arrayFirst(g -> g.3 <= spend.hour AND spend.hour < g.4, belongings.groups).5, '')
                AS cost_center,
            (
                price_key.model, price_key.service_tier, price_key.context_window, price_key.inference_geo, price_key.speed,
                token_price_from
            ) AS tokens,
            ('', '', '', '', '', tool_price_from) AS tools
        FROM spend LEFT JOIN belongings ON belongings.account_id = spend.actor_id
        WHERE organization_id = {organization_id:UUID}
            AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')} AND reported
    ),
    charges AS (
        SELECT
            day, cost_center, actor_type, actor_id, product, model, discount, tokens, tools,
            arrayJoin(arrayFilter(unit -> unit.2 > 0, [
                ('uncached_input_tokens', sum(uncached_input_tokens),
                    toDecimal128(any(uncached_input_token_usd), 18), tokens),
                ('cache_read_input_tokens', sum(cache_read_input_tokens),
                    toDecimal128(any(cache_read_input_token_usd), 18), tokens),
                ('cache_creation_5m_input_tokens', sum(cache_creation_5m_input_tokens),
                    toDecimal128(any(cache_creation_5m_input_token_usd), 18), tokens),
                ('cache_creation_1h_input_tokens', sum(cache_creation_1h_input_tokens),
                    toDecimal128(any(cache_creation_1h_input_token_usd), 18), tokens),
                ('output_tokens', sum(output_tokens), toDecimal128(any(output_token_usd), 18), tokens),
                ('web_search_requests', sum(web_search_requests), toDecimal128(any(web_search_request_usd), 18), tools),
                ('execution_milliseconds', sum(execution_milliseconds),
                    toDecimal128(any(execution_millisecond_usd), 18), tools)
            ])) AS unit
        FROM usage
        GROUP BY day, cost_center, actor_type, actor_id, product, model, discount, tokens, tools
    )
SELECT
    toString(day), cost_center, toString(charges.actor_type), toString(charges.actor_id),
    if(actor_type = 'user', people.email, names.name) AS actor_name, toString(product),
    transform(toString(product), {products:Array(String)}, {labels:Array(String)}, toString(product)) AS product_label,
    toString(model), unit.1, unit.4.1, unit.4.2, unit.4.3, unit.4.4, unit.4.5,
    formatDateTime(unit.4.6, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS price_from, toString(discount), toString(unit.3) AS price,
    toString(sum(unit.2)) AS quantity
FROM charges
LEFT JOIN people_of(organization_id = {organization_id:UUID}) AS people ON people.account_id = charges.actor_id
LEFT JOIN (SELECT actor_id, name FROM machine_names WHERE organization_id = {organization_id:UUID}) AS names
    ON names.actor_id = charges.actor_id
GROUP BY day, cost_center, actor_type, charges.actor_id, actor_name, product, model, unit.1, unit.3, unit.4, discount
ORDER BY day, cost_center, actor_type, charges.actor_id, product, model, unit.1, unit.4, unit.3, discount
