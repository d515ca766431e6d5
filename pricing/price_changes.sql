-- The issued reports with amounts at a price that the list {list} changes or lacks: one row per organization, with its
-- days. Usage that had no price may get one: its reports have marked their amounts as incomplete.
WITH
    held AS (SELECT *, 1 AS one FROM prices),
    wanted AS (SELECT *, 1 AS one FROM listed_prices FINAL WHERE list = {list:String}),
    used AS (
        SELECT
            organization_id, hour, service_tier, 1 AS one,
            replaceRegexpOne(model, '-(20[0-9]{6}|latest)$', '') AS price_model,
            if(context_window = '', '0-200k', context_window) AS price_context_window,
            if(inference_geo = '', 'global', inference_geo) AS price_inference_geo,
            if(speed = '', 'standard', speed) AS price_speed,
            model != '' AND sum(usage.uncached_input_tokens) > 0 AS has_uncached,
            model != '' AND sum(usage.cache_read_input_tokens) > 0 AS has_read,
            model != '' AND sum(usage.cache_creation_5m_input_tokens) > 0 AS has_write_5m,
            model != '' AND sum(usage.cache_creation_1h_input_tokens) > 0 AS has_write_1h,
            model != '' AND sum(usage.output_tokens) > 0 AS has_output,
            sum(usage.web_search_requests) > 0 AS has_search, sum(usage.execution_milliseconds) > 0 AS has_execution
        FROM spend_cells_current AS usage
        WHERE (organization_id, toDate(hour)) IN (SELECT organization_id, day FROM issued_reports)
        GROUP BY organization_id, hour, model, service_tier, context_window, inference_geo, speed
    )
SELECT toString(used.organization_id) AS organization, arraySort(groupUniqArray(toDate(used.hour))) AS days
FROM used
ASOF LEFT JOIN (SELECT * FROM held WHERE model != '') AS price
    ON used.price_model = price.model AND used.service_tier = price.service_tier
    AND used.price_context_window = price.context_window AND used.price_inference_geo = price.inference_geo
    AND used.price_speed = price.speed AND used.hour >= price.effective_from
ASOF LEFT JOIN (SELECT * FROM wanted WHERE model != '') AS other
    ON used.price_model = other.model AND used.service_tier = other.service_tier
    AND used.price_context_window = other.context_window AND used.price_inference_geo = other.inference_geo
    AND used.price_speed = other.speed AND used.hour >= other.effective_from
ASOF LEFT JOIN (SELECT * FROM held WHERE model = '') AS tool ON used.one = tool.one AND used.hour >= tool.effective_from
ASOF LEFT JOIN (SELECT * FROM wanted WHERE model = '') AS other_tool
    ON used.one = other_tool.one AND used.hour >= other_tool.effective_from
WHERE
    arrayExists(
        (is_used, before, after) -> is_used AND isNotNull(before) AND ifNull(after != before, true),
        [has_uncached, has_read, has_write_5m, has_write_1h, has_output, has_search, has_execution],
        [
            toDecimal128(price.uncached_input_token_usd, 18), toDecimal128(price.cache_read_input_token_usd, 18),
            toDecimal128(price.cache_creation_5m_input_token_usd, 18),
            toDecimal128(price.cache_creation_1h_input_token_usd, 18), toDecimal128(price.output_token_usd, 18),
            toDecimal128(tool.web_search_request_usd, 18), tool.execution_millisecond_usd
        ],
        [
            toDecimal128(other.uncached_input_token_usd, 18), toDecimal128(other.cache_read_input_token_usd, 18),
            toDecimal128(other.cache_creation_5m_input_token_usd, 18),
            toDecimal128(other.cache_creation_1h_input_token_usd, 18), toDecimal128(other.output_token_usd, 18),
            toDecimal128(other_tool.web_search_request_usd, 18), other_tool.execution_millisecond_usd
        ]
    )
GROUP BY used.organization_id
ORDER BY organization
SETTINGS join_use_nulls = 0
