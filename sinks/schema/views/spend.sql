-- The cost of each cell of usage, with the terms under which it happened: `reported` if it is part of the spend report,
-- `list_usd` NULL where there is no price, `net_usd` after the discount.
CREATE OR REPLACE VIEW spend AS
SELECT
    cell.organization_id AS organization_id, cell.hour AS hour, toDate(cell.hour) AS day,
    cell.actor_type AS actor_type, cell.actor_id AS actor_id, cell.product AS product, cell.model AS model,
    cell.service_tier AS service_tier, cell.context_window AS context_window, cell.inference_geo AS inference_geo,
    cell.speed AS speed, cell.funding AS funding, cell.attribution_id AS attribution_id,
    cell.requests AS requests, cell.uncached_input_tokens AS uncached_input_tokens,
    cell.cache_read_input_tokens AS cache_read_input_tokens,
    cell.cache_creation_5m_input_tokens AS cache_creation_5m_input_tokens,
    cell.cache_creation_1h_input_tokens AS cache_creation_1h_input_tokens, cell.output_tokens AS output_tokens,
    cell.web_search_requests AS web_search_requests, cell.execution_spans AS execution_spans,
    cell.execution_milliseconds AS execution_milliseconds,
    terms.plan AS plan, terms.seat_based AS seat_based, terms.discount AS discount,
    terms.extra_usage AS extra_usage,
    NOT terms.seat_based OR (cell.funding = 'extra_usage' AND terms.extra_usage) AS reported,
    if(cell.model = '', toDecimal128(0, 18),
        cell.uncached_input_tokens * toDecimal128(price.uncached_input_token_usd, 18)
        + cell.cache_read_input_tokens * toDecimal128(price.cache_read_input_token_usd, 18)
        + cell.cache_creation_5m_input_tokens * toDecimal128(price.cache_creation_5m_input_token_usd, 18)
        + cell.cache_creation_1h_input_tokens * toDecimal128(price.cache_creation_1h_input_token_usd, 18)
        + cell.output_tokens * toDecimal128(price.output_token_usd, 18)) AS tokens_list_usd,
    if(cell.web_search_requests = 0, toDecimal128(0, 18),
        cell.web_search_requests * toDecimal128(tool.web_search_request_usd, 18)) AS web_search_list_usd,
    if(cell.execution_milliseconds = 0, toDecimal128(0, 18),
        cell.execution_milliseconds * tool.execution_millisecond_usd) AS execution_list_usd,
    tokens_list_usd + web_search_list_usd + execution_list_usd AS list_usd,
    toDecimal256(list_usd, 18) * (toDecimal64(1, 6) - terms.discount) AS net_usd
FROM (
    SELECT
        *, toDateTime64(hour, 6, 'UTC') AS instant, 1 AS tools,
        replaceRegexpOne(model, '-(20[0-9]{6}|latest)$', '') AS price_model,
        if(context_window = '', '0-200k', context_window) AS price_context_window,
        if(inference_geo = '', 'global', inference_geo) AS price_inference_geo,
        if(speed = '', 'standard', speed) AS price_speed
    FROM spend_cells_current
) AS cell
ASOF LEFT JOIN (SELECT * FROM prices WHERE model != '') AS price
    ON cell.price_model = price.model AND cell.service_tier = price.service_tier
    AND cell.price_context_window = price.context_window AND cell.price_inference_geo = price.inference_geo
    AND cell.price_speed = price.speed AND cell.hour >= price.effective_from
ASOF LEFT JOIN (SELECT *, 1 AS tools FROM prices WHERE model = '') AS tool
    ON cell.tools = tool.tools AND cell.hour >= tool.effective_from
ASOF LEFT JOIN terms ON cell.organization_id = terms.organization_id AND cell.instant >= terms.in_force_from
SETTINGS do_not_merge_across_partitions_select_final = 1, join_use_nulls = 0;
