-- The issued reports with amounts at a price that the list {list} changes or lacks: one row per organization, with its
-- days. Usage that had no price may get one: its reports have marked their amounts as incomplete.
WITH
    wanted AS (SELECT *, price_key, 1 AS tools FROM listed_prices FINAL WHERE list = {list:String}),
    used AS (
        SELECT
            organization_id, hour, price_key, 1 AS tools,
            model != '' AND sum(usage.uncached_input_tokens) > 0 AS has_uncached,
            model != '' AND sum(usage.cache_read_input_tokens) > 0 AS has_read,
            model != '' AND sum(usage.cache_creation_5m_input_tokens) > 0 AS has_write_5m,
            model != '' AND sum(usage.cache_creation_1h_input_tokens) > 0 AS has_write_1h,
            model != '' AND sum(usage.output_tokens) > 0 AS has_output,
            sum(usage.web_search_requests) > 0 AS has_search, sum(usage.execution_milliseconds) > 0 AS has_execution
        FROM spend_cells_current AS usage
        WHERE (organization_id, toDate(hour)) IN (SELECT organization_id, day FROM issued_reports)
        GROUP BY organization_id, hour, model, price_key
    )
SELECT toString(used.organization_id) AS organization, arraySort(groupUniqArray(toDate(used.hour))) AS days
FROM used
ASOF LEFT JOIN token_prices AS price ON used.price_key = price.price_key AND used.hour >= price.effective_from
ASOF LEFT JOIN tool_prices AS tool ON used.tools = tool.tools AND used.hour >= tool.effective_from
ASOF LEFT JOIN (SELECT * FROM wanted WHERE model != '') AS other
    ON used.price_key = other.price_key AND used.hour >= other.effective_from
ASOF LEFT JOIN (SELECT * FROM wanted WHERE model = '') AS other_tool
    ON used.tools = other_tool.tools AND used.hour >= other_tool.effective_from
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
