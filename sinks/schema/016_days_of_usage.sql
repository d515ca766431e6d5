-- Speeds up queries about money. Nothing here changes a number: without it every result is the same, only slower.

-- Each day's usage by everything that cost depends on, which ClickHouse keeps with each part of the table, so that it
-- is never behind the cells. Usage of a tool (web search, code execution) is a separate row, because without a price it
-- has no cost, while the rest has one.
ALTER TABLE spend_cells ADD PROJECTION IF NOT EXISTS days (
    SELECT
        organization_id, toDate(hour), source, actor_type, product, model, service_tier, context_window, inference_geo,
        speed, funding, web_search_requests > 0, execution_milliseconds > 0,
        sum(requests), sum(uncached_input_tokens), sum(cache_read_input_tokens), sum(cache_creation_5m_input_tokens),
        sum(cache_creation_1h_input_tokens), sum(output_tokens), sum(web_search_requests), sum(execution_spans),
        sum(execution_milliseconds)
    GROUP BY
        organization_id, toDate(hour), source, actor_type, product, model, service_tier, context_window, inference_geo,
        speed, funding, web_search_requests > 0, execution_milliseconds > 0
);
ALTER TABLE spend_cells MATERIALIZE PROJECTION days;

-- An organization's usage in [begins, ends) by everything that its cost depends on: a row per day, with its midnight as
-- `moment`, or a row per hour for a day that cannot be read as a whole. That is a day
-- - of which only some hours are requested,
-- - within which a price or the terms change, or
-- - whose cells are in several parts, so that another part may have a newer version of a cell, which needs FINAL.
-- The list of these days is computed before the cells are read. Without `asked` there are no rows, and nothing is read.
-- If a day gets a second part in between, throwIf reports it, and the caller repeats the query (queries/sql_files.py).
-- Days are compared as numbers, because ClickHouse would turn a comparison of dates into one of hours, which the
-- projection does not have.
CREATE OR REPLACE VIEW usage_in_days AS
WITH
    toUInt16(toDate({begins:DateTime('UTC')})) AS first_day, toUInt16(toDate({ends:DateTime('UTC')})) AS last_day,
    (
        SELECT groupUniqArray(toDate(day)) FROM (
            SELECT day FROM (
                SELECT toDate(hour) AS day, _part FROM spend_cells
                WHERE organization_id = {organization_id:UUID} AND {asked:Bool}
                    AND toUInt16(toDate(hour)) >= first_day AND toUInt16(toDate(hour)) <= last_day
                GROUP BY toDate(hour), _part
            )
            GROUP BY day
            HAVING count() > 1
            UNION ALL
            SELECT toDate(arrayJoin([{begins:DateTime('UTC')}, {ends:DateTime('UTC')}]) AS moment)
            WHERE moment != toStartOfDay(moment)
            UNION ALL
            SELECT toDate(effective_from) FROM prices WHERE effective_from != toStartOfDay(effective_from)
            UNION ALL
            SELECT toDate(in_force_from) FROM terms
            WHERE organization_id = {organization_id:UUID} AND {asked:Bool}
                AND in_force_from != toDateTime64(toStartOfDay(in_force_from), 6, 'UTC')
        )
    ) AS apart
SELECT
    toDateTime(day, 'UTC') AS moment, * EXCEPT (day, parts, is_whole)
FROM (
    SELECT
        toDate(hour) AS day, actor_type, product, model, service_tier, context_window, inference_geo, speed, funding,
        sum(spend_cells.requests) AS requests,
        sum(spend_cells.uncached_input_tokens) AS uncached_input_tokens,
        sum(spend_cells.cache_read_input_tokens) AS cache_read_input_tokens,
        sum(spend_cells.cache_creation_5m_input_tokens) AS cache_creation_5m_input_tokens,
        sum(spend_cells.cache_creation_1h_input_tokens) AS cache_creation_1h_input_tokens,
        sum(spend_cells.output_tokens) AS output_tokens, sum(spend_cells.web_search_requests) AS web_search_requests,
        sum(spend_cells.execution_spans) AS execution_spans,
        sum(spend_cells.execution_milliseconds) AS execution_milliseconds,
        uniqExact(_part) OVER (PARTITION BY toDate(hour)) AS parts,
        throwIf(parts > 1, 'A day came into a second part while its usage was read: ask again') = 0 AS is_whole
    FROM spend_cells
    WHERE organization_id = {organization_id:UUID} AND {asked:Bool}
        AND toUInt16(toDate(hour)) >= first_day AND toUInt16(toDate(hour)) < last_day AND NOT has(apart, toDate(hour))
        AND toUInt32OrZero(extract(source, '@(.*)'))
            >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace')
    GROUP BY
        toDate(hour), _part, actor_type, product, model, service_tier, context_window, inference_geo, speed, funding,
        spend_cells.web_search_requests > 0, spend_cells.execution_milliseconds > 0
)
WHERE is_whole
UNION ALL
SELECT
    hour, actor_type, product, model, service_tier, context_window, inference_geo, speed, funding,
    sum(counted_usage.requests), sum(counted_usage.uncached_input_tokens), sum(counted_usage.cache_read_input_tokens),
    sum(counted_usage.cache_creation_5m_input_tokens), sum(counted_usage.cache_creation_1h_input_tokens),
    sum(counted_usage.output_tokens), sum(counted_usage.web_search_requests), sum(counted_usage.execution_spans),
    sum(counted_usage.execution_milliseconds)
FROM counted_usage
WHERE organization_id = {organization_id:UUID} AND {asked:Bool}
    AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')} AND has(apart, toDate(hour))
GROUP BY
    hour, actor_type, product, model, service_tier, context_window, inference_geo, speed, funding,
    counted_usage.web_search_requests > 0, counted_usage.execution_milliseconds > 0
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- The cost of an organization's usage in [begins, ends): the result of the view `spend`, computed from sums by day and
-- not from cells.
CREATE OR REPLACE VIEW counted_spend AS
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
    FROM usage_in_days(
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
