-- Reported usage in [begins, ends): one row per combination of the dimensions in group_by and per time bucket, with its
-- counts and, when priced, its cost by component as in the view spend. Tokens are priced cell by cell. Whatever all
-- cells of an hour share (terms, prices of tools) seldom changes, so it is joined to sums from one change to the next
-- (a step). Usage without a price costs nothing here, and its model is listed. Minutes are kept by product and model only.
-- An unused branch has a false flag next to its key, so that ClickHouse reads nothing of its table. The nil id fills
-- columns in which a row has no id; no filter matches it. Rows ascend by (first, second, key), which is where the next
-- page begins.
WITH
    toUUID('00000000-0000-0000-0000-000000000000') AS nil, toLowCardinality('') AS none,
    toDateTime({begins:DateTime('UTC')}, 'UTC') AS begins, toDateTime({ends:DateTime('UTC')}, 'UTC') AS ends,
    {group_by:Array(String)} AS dimensions,
    has(dimensions, 'rbac_group_id') AS by_group, by_group OR notEmpty({groups:Array(UUID)}) AS grouped,
    (
        SELECT arraySort(arrayDistinct(arrayConcat([toUInt32(begins)], groupArray(toUInt32(changed_at)))))
        FROM (
            SELECT effective_from AS changed_at FROM tool_prices
            WHERE {priced:Bool} AND effective_from > begins AND effective_from < ends
            UNION ALL
            SELECT toDateTime(in_force_from, 'UTC') FROM terms
            WHERE organization_id = {organization_id:UUID} AND in_force_from > begins AND in_force_from < ends
        )
    ) AS steps,
    known_prices AS (
        SELECT
            price_key, effective_from,
            ifNull(toDecimal128(uncached_input_token_usd, 18), 0) AS uncached_usd,
            ifNull(toDecimal128(cache_read_input_token_usd, 18), 0) AS read_usd,
            ifNull(toDecimal128(cache_creation_5m_input_token_usd, 18), 0) AS write_5m_usd,
            ifNull(toDecimal128(cache_creation_1h_input_token_usd, 18), 0) AS write_1h_usd,
            ifNull(toDecimal128(output_token_usd, 18), 0) AS output_usd,
            isNotNull(
                uncached_input_token_usd + cache_read_input_token_usd + cache_creation_5m_input_token_usd
                + cache_creation_1h_input_token_usd + output_token_usd
            ) AS known
        FROM token_prices
        WHERE {priced:Bool}
    ),
    held AS (
        SELECT account_id, arrayFilter(m -> empty({groups:Array(UUID)}) OR has({groups:Array(UUID)}, m.1), memberships) AS spans
        FROM group_days
        WHERE organization_id = {organization_id:UUID} AND grouped
    ),
    placed AS (
        SELECT * FROM attributions FINAL
        WHERE {attributed:Bool} AND attribution_id IN (
            SELECT attribution_id FROM spend_cells
            WHERE organization_id = {organization_id:UUID} AND hour >= begins AND hour < ends
        )
    ),
    measured AS (
        SELECT
            moment, actor_type, nil AS actor_id, product, model, price_key.model AS undated_model,
            price_key.service_tier AS service_tier, price_key.context_window AS context_window, inference_geo,
            price_key.speed AS speed, price_key, funding,
            nil AS attribution_id, requests, uncached_input_tokens, cache_read_input_tokens, cache_creation_5m_input_tokens,
            cache_creation_1h_input_tokens, output_tokens, web_search_requests, execution_spans, execution_milliseconds
        FROM usage_by_day(
            organization_id = {organization_id:UUID}, begins = {begins:DateTime('UTC')}, ends = {ends:DateTime('UTC')},
            asked = {by_day:Bool}
        )
        WHERE empty({organizations:Array(UUID)}) OR has({organizations:Array(UUID)}, {organization_id:UUID})
        UNION ALL
        SELECT
            hour, actor_type, actor_id, product, model, price_key.model, service_tier, price_key.context_window, inference_geo,
            price_key.speed, price_key, funding,
            attribution_id, requests, uncached_input_tokens, cache_read_input_tokens, cache_creation_5m_input_tokens,
            cache_creation_1h_input_tokens, output_tokens, web_search_requests, execution_spans, execution_milliseconds
        FROM spend_cells_current
        WHERE organization_id = {organization_id:UUID} AND NOT ({by_minute:Bool} OR {by_day:Bool})
            AND hour >= begins AND hour < ends
            AND (empty({organizations:Array(UUID)}) OR has({organizations:Array(UUID)}, {organization_id:UUID}))
        UNION ALL
        SELECT
            minute, none, nil, product, model, undated_model, none, none, none, none,
            (undated_model, none, none, none, none), none, nil, requests, uncached_input_tokens,
            cache_read_input_tokens, cache_creation_5m_input_tokens, cache_creation_1h_input_tokens, output_tokens, 0, 0, 0
        FROM live
        WHERE organization_id = {organization_id:UUID} AND {by_minute:Bool}
            AND minute >= begins AND minute < ends
            AND (empty({organizations:Array(UUID)}) OR has({organizations:Array(UUID)}, {organization_id:UUID}))
            AND requests > 0
    ),
    used AS (
        SELECT
            *, model != '' AS is_request
        FROM measured
        WHERE (NOT {people_only:Bool} OR actor_type = 'user')
            AND (NOT {exclude_deleted:Bool} OR actor_type != 'user' OR actor_id NOT IN (
                SELECT account_id FROM people_of(organization_id = {organization_id:UUID})
                WHERE has_left AND {exclude_deleted:Bool}
            ))
            AND (
                (empty({users:Array(UUID)}) AND empty({service_accounts:Array(UUID)}) AND empty({api_keys:Array(UUID)}))
                OR (actor_type = 'user' AND has({users:Array(UUID)}, actor_id))
                OR (actor_type = 'service_account' AND has({service_accounts:Array(UUID)}, actor_id))
                OR (actor_type = 'api_key' AND has({api_keys:Array(UUID)}, actor_id))
            )
            AND (empty({actor_types:Array(String)}) OR has({actor_types:Array(String)}, actor_type))
            AND (empty({products:Array(String)}) OR has({products:Array(String)}, product))
            AND (empty({models:Array(String)}) OR has({models:Array(String)}, model)
                OR has({models:Array(String)}, undated_model))
            AND (empty({service_tiers:Array(String)}) OR has({service_tiers:Array(String)}, service_tier))
            AND (empty({context_windows:Array(String)}) OR has({context_windows:Array(String)}, context_window))
            AND (empty({inference_geos:Array(String)}) OR has({inference_geos:Array(String)}, inference_geo))
            AND (empty({speeds:Array(String)}) OR has({speeds:Array(String)}, speed))
    ),
    located AS (
        SELECT
            used.*, placed.*, if(actor_type = 'api_key' AND placed.api_key_id = nil, actor_id, placed.api_key_id) AS api_key,
            arrayDistinct(arrayFilter(
                m -> actor_type = 'user' AND toDate(moment, 'UTC') BETWEEN m.2 AND m.3, held.spans
            ).1) AS kept,
            arrayJoin(multiIf(
                NOT grouped, [nil], empty(kept), if(empty({groups:Array(UUID)}), [nil], kept), by_group, kept, [nil]
            )) AS group_id
        FROM used
        LEFT JOIN held ON held.account_id = used.actor_id
        LEFT JOIN placed ON placed.attribution_id = used.attribution_id
        WHERE (empty({api_key_ids:Array(UUID)}) OR has({api_key_ids:Array(UUID)}, api_key))
            AND (empty({workspace_ids:Array(UUID)}) OR has({workspace_ids:Array(UUID)}, placed.workspace_id))
            AND (empty({session_ids:Array(UUID)}) OR has({session_ids:Array(UUID)}, placed.session_id))
            AND (empty({agent_ids:Array(UUID)}) OR has({agent_ids:Array(UUID)}, placed.agent_id))
            AND (empty({deployment_ids:Array(UUID)}) OR has({deployment_ids:Array(UUID)}, placed.deployment_id))
            AND (empty({environment_ids:Array(UUID)}) OR has({environment_ids:Array(UUID)}, placed.environment_id))
            AND (empty({user_profile_ids:Array(UUID)}) OR has({user_profile_ids:Array(UUID)}, placed.user_profile_id))
            AND (empty({slack_channel_ids:Array(String)}) OR has({slack_channel_ids:Array(String)}, placed.slack_channel_id))
            AND (empty({claude_tag_user_ids:Array(String)})
                OR has({claude_tag_user_ids:Array(String)}, placed.claude_tag_user_id))
            AND (empty({claude_tag_categories:Array(String)})
                OR has({claude_tag_categories:Array(String)}, placed.claude_tag_category))
    ),
    counted AS (
        SELECT
            if({bucket_seconds:UInt32} = 0, 0, intDiv(toUInt32(moment), {bucket_seconds:UInt32}) * {bucket_seconds:UInt32})
                AS bucket,
            if(
                has(dimensions, 'actor') OR has(dimensions, 'actor_type'),
                indexOf({every_actor_type:Array(String)}, actor_type), 0
            ) AS by_actor_type,
            if(has(dimensions, 'actor'), actor_id, nil) AS by_actor,
            if(has(dimensions, 'product'), product, '') AS by_product,
            if(has(dimensions, 'model'), model, '') AS by_model,
            if(has(dimensions, 'service_tier'), service_tier, '') AS by_service_tier,
            if(has(dimensions, 'context_window'), context_window, '') AS by_context_window,
            if(has(dimensions, 'inference_geo'), inference_geo, '') AS by_inference_geo,
            if(has(dimensions, 'speed'), speed, '') AS by_speed,
            if(by_group, group_id, nil) AS by_rbac_group_id,
            if(has(dimensions, 'api_key_id'), api_key, nil) AS by_api_key_id,
            if(has(dimensions, 'workspace_id'), workspace_id, nil) AS by_workspace_id,
            if(has(dimensions, 'session_id'), session_id, nil) AS by_session_id,
            if(has(dimensions, 'agent_id'), agent_id, nil) AS by_agent_id,
            if(has(dimensions, 'deployment_id'), deployment_id, nil) AS by_deployment_id,
            if(has(dimensions, 'environment_id'), environment_id, nil) AS by_environment_id,
            if(has(dimensions, 'user_profile_id'), user_profile_id, nil) AS by_user_profile_id,
            if(has(dimensions, 'slack_channel_id'), slack_channel_id, '') AS by_slack_channel_id,
            if(has(dimensions, 'claude_tag_user_id'), claude_tag_user_id, '') AS by_claude_tag_user_id,
            if(has(dimensions, 'claude_tag_category'), claude_tag_category, '') AS by_claude_tag_category,
            toDateTime(roundDown(toUInt32(moment), steps), 'UTC') AS step, funding,
            {priced:Bool} AND is_request AND NOT price.known AS lacks_price,
            {priced:Bool} AND web_search_requests > 0 AS searched, {priced:Bool} AND execution_milliseconds > 0 AS executed,
            groupUniqArrayIf(model, lacks_price OR searched OR executed) AS models,
            sum(requests) AS calls, sum(execution_spans) AS spans,
            [
                sum(uncached_input_tokens), sum(cache_read_input_tokens), sum(cache_creation_5m_input_tokens),
                sum(cache_creation_1h_input_tokens), sum(output_tokens), sum(web_search_requests), sum(execution_milliseconds)
            ] AS units,
            [
                sum(uncached_input_tokens * price.uncached_usd), sum(cache_read_input_tokens * price.read_usd),
                sum(cache_creation_5m_input_tokens * price.write_5m_usd),
                sum(cache_creation_1h_input_tokens * price.write_1h_usd), sum(output_tokens * price.output_usd)
            ] AS tokens_usd
        FROM located
        ASOF LEFT JOIN known_prices AS price
            ON located.price_key = price.price_key AND located.moment >= price.effective_from
        GROUP BY ALL
    ),
    priced AS (
        SELECT
            counted.*,
            lacks_price OR (searched AND isNull(tool.web_search_request_usd))
                OR (executed AND isNull(tool.execution_millisecond_usd)) AS is_unpriced,
            arrayMap(usd -> if(is_unpriced, 0, usd), arrayConcat(tokens_usd, [
                units[6] * toDecimal128(ifNull(tool.web_search_request_usd, 0), 18),
                units[7] * toDecimal128(ifNull(tool.execution_millisecond_usd, 0), 18)
            ])) AS list_usd,
            arrayMap(usd -> toDecimal256(usd, 18) * (toDecimal64(1, 6) - terms.discount), list_usd) AS net_usd
        FROM (SELECT *, {organization_id:UUID} AS organization_id, 1 AS tools FROM counted) AS counted
        ASOF LEFT JOIN (SELECT * FROM tool_prices WHERE {priced:Bool}) AS tool
            ON counted.tools = tool.tools AND counted.step >= tool.effective_from
        ASOF LEFT JOIN terms
            ON counted.organization_id = terms.organization_id
            AND toDateTime64(counted.step, 6, 'UTC') >= terms.in_force_from
        WHERE NOT has(terms.covered_by_seats, counted.funding)
    ),
    combined AS (
        SELECT
            bucket, COLUMNS('^by_'), hex(sipHash128(bucket, COLUMNS('^by_'))) AS key,
            sum(calls) AS requests, sum(spans) AS execution_spans, sumForEach(units) AS counts,
            arraySum(arraySlice(counts, 1, 5)) AS total_tokens,
            sumForEach(list_usd) AS each_list_usd, sumForEach(net_usd) AS each_net_usd,
            arraySort(groupUniqArrayArrayIf(models, is_unpriced)) AS unpriced_models
        FROM priced
        GROUP BY ALL
    ),
    ranked AS (
        SELECT
            *,
            multiIf(
                {order_by:String} = 'amount', arraySum(each_net_usd),
                {order_by:String} = 'list_amount', toDecimal256(arraySum(each_list_usd), 24),
                toDecimal256(multiIf(
                    {order_by:String} = 'output_tokens', counts[5], {order_by:String} = 'uncached_input_tokens', counts[1],
                    {order_by:String} = 'requests', requests + execution_spans, total_tokens
                ), 24)
            ) AS metric,
            if({by_time:Bool}, toDecimal256(bucket, 24), metric) AS leading,
            if({descending:Bool}, -leading, leading) AS first, if({by_time:Bool}, -metric, toDecimal256(0, 24)) AS second
        FROM combined
    ),
    paged AS (
        SELECT * FROM ranked
        WHERE {after_key:String} = ''
            OR (first, second, key) > ({after_first:Decimal(76, 24)}, {after_second:Decimal(76, 24)}, {after_key:String})
        ORDER BY first, second, key
        LIMIT {limit:UInt32}
    )
SELECT
    bucket, COLUMNS('^by_'), counts, requests, execution_spans, total_tokens, unpriced_models,
    toString(arraySum(each_list_usd) * 100) AS list_cents, toString(arraySum(each_net_usd) * 100) AS net_cents,
    arrayMap(usd -> toString(usd * 100), arrayPushBack(each_list_usd, arraySum(arraySlice(each_list_usd, 1, 5))))
        AS each_list_cents,
    arrayMap(usd -> toString(usd * 100), arrayPushBack(each_net_usd, arraySum(arraySlice(each_net_usd, 1, 5))))
        AS each_net_cents,
    toString(first) AS first_rank, toString(second) AS second_rank, key
FROM paged
ORDER BY first, second, key
