-- The cost of an organization's usage in [begins, ends): the result of the view `spend`, from sums by day, not cells.
CREATE OR REPLACE VIEW spend_by_day AS
SELECT
    usage.product AS product, usage.model AS model, usage.requests AS requests,
    usage.uncached_input_tokens AS uncached_input_tokens, usage.cache_read_input_tokens AS cache_read_input_tokens,
    usage.cache_creation_5m_input_tokens AS cache_creation_5m_input_tokens,
    usage.cache_creation_1h_input_tokens AS cache_creation_1h_input_tokens, usage.output_tokens AS output_tokens,
    NOT terms.seat_based OR (usage.funding = 'extra_usage' AND terms.extra_usage) AS reported,
    if(usage.model = '', toDecimal128(0, 18),
        usage.uncached_input_tokens * toDecimal128(price.uncached_input_token_usd, 18)
        + usage.cache_read_input_tokens * toDecimal128(price.cache_read_input_token_usd, 18)
        + usage.cache_creation_5m_input_tokens * toDecimal128(price.cache_creation_5m_input_token_usd, 18)
        + usage.cache_creation_1h_input_tokens * toDecimal128(price.cache_creation_1h_input_token_usd, 18)
        + usage.output_tokens * toDecimal128(price.output_token_usd, 18)) AS tokens_list_usd,
    if(usage.web_search_requests = 0, toDecimal128(0, 18),
        usage.web_search_requests * toDecimal128(tool.web_search_request_usd, 18)) AS web_search_list_usd,
    if(usage.execution_milliseconds = 0, toDecimal128(0, 18),
        usage.execution_milliseconds * tool.execution_millisecond_usd) AS execution_list_usd,
    tokens_list_usd + web_search_list_usd + execution_list_usd AS list_usd,
    toDecimal256(list_usd, 18) * (toDecimal64(1, 6) - terms.discount) AS net_usd
FROM (
    SELECT
        *, toDateTime64(moment, 6, 'UTC') AS instant, 1 AS one,
        replaceRegexpOne(model, '-(20[0-9]{6}|latest)$', '') AS price_model,
        if(context_window = '', '0-200k', context_window) AS price_context_window,
        if(inference_geo = '', 'global', inference_geo) AS price_inference_geo,
        if(speed = '', 'standard', speed) AS price_speed
    FROM usage_by_day(
        organization_id = {organization_id:UUID}, begins = {begins:DateTime('UTC')}, ends = {ends:DateTime('UTC')},
        asked = true
    )
) AS usage
ASOF LEFT JOIN (SELECT * FROM prices WHERE model != '') AS price
    ON usage.price_model = price.model AND usage.service_tier = price.service_tier
    AND usage.price_context_window = price.context_window AND usage.price_inference_geo = price.inference_geo
    AND usage.price_speed = price.speed AND usage.moment >= price.effective_from
ASOF LEFT JOIN (SELECT *, 1 AS one FROM prices WHERE model = '') AS tool
    ON usage.one = tool.one AND usage.moment >= tool.effective_from
ASOF LEFT JOIN (SELECT *, 1 AS one FROM terms WHERE organization_id = {organization_id:UUID}) AS terms
    ON usage.one = terms.one AND usage.instant >= terms.in_force_from
SETTINGS do_not_merge_across_partitions_select_final = 1, join_use_nulls = 0;
