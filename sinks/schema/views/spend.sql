-- Each cell of usage with its prices and terms, and its cost by them (schema/fragments/cost.sql).
CREATE OR REPLACE VIEW spend AS
SELECT
    usage.organization_id AS organization_id, usage.hour AS hour, toDate(usage.hour) AS day,
    usage.actor_type AS actor_type, usage.actor_id AS actor_id, usage.product AS product, usage.model AS model,
    usage.price_key.model AS undated_model, usage.service_tier AS service_tier, usage.context_window AS context_window,
    usage.inference_geo AS inference_geo, usage.speed AS speed, usage.funding AS funding,
    usage.attribution_id AS attribution_id,
    usage.requests AS requests, usage.uncached_input_tokens AS uncached_input_tokens,
    usage.cache_read_input_tokens AS cache_read_input_tokens,
    usage.cache_creation_5m_input_tokens AS cache_creation_5m_input_tokens,
    usage.cache_creation_1h_input_tokens AS cache_creation_1h_input_tokens, usage.output_tokens AS output_tokens,
    usage.web_search_requests AS web_search_requests, usage.execution_spans AS execution_spans,
    usage.execution_milliseconds AS execution_milliseconds,
    usage.price_key AS price_key, price.effective_from AS token_price_from,
    price.uncached_input_token_usd AS uncached_input_token_usd,
    price.cache_read_input_token_usd AS cache_read_input_token_usd,
    price.cache_creation_5m_input_token_usd AS cache_creation_5m_input_token_usd,
    price.cache_creation_1h_input_token_usd AS cache_creation_1h_input_token_usd,
    price.output_token_usd AS output_token_usd,
    tool.effective_from AS tool_price_from, tool.web_search_request_usd AS web_search_request_usd,
    tool.execution_millisecond_usd AS execution_millisecond_usd,
    terms.plan AS plan, terms.seat_based AS seat_based, terms.discount AS discount,
    terms.extra_usage AS extra_usage,
    {{cost}}
FROM (
    SELECT *, hour AS moment, toDateTime64(hour, 6, 'UTC') AS instant, 1 AS tools FROM spend_cells_current
) AS usage
ASOF LEFT JOIN token_prices AS price ON usage.price_key = price.price_key AND usage.moment >= price.effective_from
ASOF LEFT JOIN tool_prices AS tool ON usage.tools = tool.tools AND usage.moment >= tool.effective_from
ASOF LEFT JOIN terms ON usage.organization_id = terms.organization_id AND usage.instant >= terms.in_force_from
SETTINGS do_not_merge_across_partitions_select_final = 1, join_use_nulls = 0;
