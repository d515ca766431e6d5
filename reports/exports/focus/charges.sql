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
            FROM group_spans WHERE organization_id = {organization_id:UUID}
        ) AS spans
        INNER JOIN centers ON centers.group = spans.group
        WHERE cost_center != '' AND from < until
        GROUP BY account_id
    ),
    usage AS (
        SELECT
            spend.day AS day, spend.hour AS hour, spend.actor_type AS actor_type, spend.actor_id AS actor_id, spend.product AS product,
            spend.model AS model, spend.service_tier AS service_tier, spend.discount AS discount,
            spend.uncached_input_tokens, spend.cache_read_input_tokens, spend.cache_creation_5m_input_tokens,
            spend.cache_creation_1h_input_tokens, spend.output_tokens, spend.web_search_requests, spend.execution_milliseconds,
            if(actor_type = 'user',
                arrayFirst(g -> g.3 <= spend.hour AND spend.hour < g.4, belongings.groups).5, '') AS cost_center,
            replaceRegexpOne(model, '-(20[0-9]{6}|latest)$', '') AS price_model,
            if(context_window = '' AND model != '', '0-200k', context_window) AS price_context_window,
            if(inference_geo = '' AND model != '', 'global', inference_geo) AS price_inference_geo,
            if(speed = '' AND model != '', 'standard', speed) AS price_speed, 1 AS tools
        FROM spend LEFT JOIN belongings ON belongings.account_id = spend.actor_id
        WHERE organization_id = {organization_id:UUID}
            AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')} AND reported
    ),
    priced AS (
        SELECT
            day, cost_center, actor_type, actor_id, product, usage.model AS model, price_model, usage.service_tier AS service_tier,
            price_context_window, price_inference_geo, price_speed, discount,
            (price_model, toString(service_tier), price_context_window, price_inference_geo, price_speed, price.effective_from) AS tokens,
            ('', '', '', '', '', tool.effective_from) AS tool_price,
            arrayFilter(unit -> unit.2 > 0, [
                ('uncached_input_tokens', sum(usage.uncached_input_tokens),
                    toDecimal128(any(price.uncached_input_token_usd), 18), tokens),
                ('cache_read_input_tokens', sum(usage.cache_read_input_tokens),
                    toDecimal128(any(price.cache_read_input_token_usd), 18), tokens),
                ('cache_creation_5m_input_tokens', sum(usage.cache_creation_5m_input_tokens),
                    toDecimal128(any(price.cache_creation_5m_input_token_usd), 18), tokens),
                ('cache_creation_1h_input_tokens', sum(usage.cache_creation_1h_input_tokens),
                    toDecimal128(any(price.cache_creation_1h_input_token_usd), 18), tokens),
                ('output_tokens', sum(usage.output_tokens), toDecimal128(any(price.output_token_usd), 18), tokens),
                ('web_search_requests', sum(usage.web_search_requests),
                    toDecimal128(any(tool.web_search_request_usd), 18), tool_price),
                ('execution_milliseconds', sum(usage.execution_milliseconds),
                    toDecimal128(any(tool.execution_millisecond_usd), 18), tool_price)
            ]) AS units
        FROM usage
        ASOF LEFT JOIN (SELECT * FROM prices WHERE model != '') AS price
            ON usage.price_model = price.model AND usage.service_tier = price.service_tier
            AND usage.price_context_window = price.context_window AND usage.price_inference_geo = price.inference_geo
            AND usage.price_speed = price.speed AND usage.hour >= price.effective_from
        ASOF LEFT JOIN (SELECT *, 1 AS tools FROM prices WHERE model = '') AS tool
            ON usage.tools = tool.tools AND usage.hour >= tool.effective_from
        GROUP BY
            day, cost_center, actor_type, actor_id, product, model, price_model, service_tier, price_context_window,
            price_inference_geo, price_speed, discount, price.effective_from, tool.effective_from
    )
SELECT
    toString(day), cost_center, toString(charges.actor_type), toString(charges.actor_id),
    if(actor_type = 'user', people.email, names.name) AS actor_name, toString(product),
    transform(toString(product), {products:Array(String)}, {labels:Array(String)}, toString(product)) AS product_label,
    toString(model), unit.1, unit.4.1, unit.4.2, unit.4.3, unit.4.4, unit.4.5,
    formatDateTime(unit.4.6, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS price_from, toString(discount), toString(unit.3) AS price,
    toString(sum(unit.2)) AS quantity
FROM (SELECT * EXCEPT (tokens, tool_price, units), arrayJoin(units) AS unit FROM priced) AS charges
LEFT JOIN people_of(organization_id = {organization_id:UUID}) AS people ON people.account_id = charges.actor_id
LEFT JOIN (SELECT actor_id, name FROM machine_names WHERE organization_id = {organization_id:UUID}) AS names
    ON names.actor_id = charges.actor_id
GROUP BY day, cost_center, actor_type, charges.actor_id, actor_name, product, model, unit.1, unit.3, unit.4, discount
ORDER BY day, cost_center, actor_type, charges.actor_id, product, model, unit.1, unit.4, unit.3, discount
