-- Speeds up queries. Nothing here changes a number: without it every result is the same, only slower.

-- The cost of an organization's usage in [begins, ends), by model and everything else that cost depends on. The result
-- equals the view `spend`, but counts are summed before they are priced: prices and terms are constant from one change
-- to the next, so all hours between two changes cost the same. Usage of a tool (web search, code execution) is a
-- separate row, because without a price it has no cost, while the rest has one.
CREATE OR REPLACE VIEW counted_spend AS
SELECT
    usage.model AS model, usage.requests AS requests, usage.uncached_input_tokens AS uncached_input_tokens,
    usage.cache_read_input_tokens AS cache_read_input_tokens,
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
        model, service_tier, funding,
        roundDown(toUInt32(hour), (
            SELECT arraySort(groupUniqArray(toUInt32(seconds))) FROM (
                SELECT 0 AS seconds
                UNION ALL
                SELECT toUInt32(effective_from) FROM prices
                UNION ALL
                SELECT toUInt32(intDiv(toUnixTimestamp64Micro(in_force_from) + 999999, 1000000)) FROM terms
                WHERE organization_id = {organization_id:UUID}
            )
        )) AS last_change,
        min(counted_usage.hour) AS any_hour, toDateTime64(any_hour, 6, 'UTC') AS instant, 1 AS one,
        replaceRegexpOne(model, '-(20[0-9]{6}|latest)$', '') AS price_model,
        if(context_window = '', '0-200k', context_window) AS price_context_window,
        if(inference_geo = '', 'global', inference_geo) AS price_inference_geo,
        if(speed = '', 'standard', speed) AS price_speed,
        sum(counted_usage.requests) AS requests,
        sum(counted_usage.uncached_input_tokens) AS uncached_input_tokens,
        sum(counted_usage.cache_read_input_tokens) AS cache_read_input_tokens,
        sum(counted_usage.cache_creation_5m_input_tokens) AS cache_creation_5m_input_tokens,
        sum(counted_usage.cache_creation_1h_input_tokens) AS cache_creation_1h_input_tokens,
        sum(counted_usage.output_tokens) AS output_tokens,
        sum(counted_usage.web_search_requests) AS web_search_requests,
        sum(counted_usage.execution_milliseconds) AS execution_milliseconds
    FROM counted_usage
    WHERE organization_id = {organization_id:UUID} AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')}
    GROUP BY
        model, service_tier, context_window, inference_geo, speed, funding, last_change,
        counted_usage.web_search_requests > 0, counted_usage.execution_milliseconds > 0
) AS usage
ASOF LEFT JOIN (SELECT * FROM prices WHERE model != '') AS price
    ON usage.price_model = price.model AND usage.service_tier = price.service_tier
    AND usage.price_context_window = price.context_window AND usage.price_inference_geo = price.inference_geo
    AND usage.price_speed = price.speed AND usage.any_hour >= price.effective_from
ASOF LEFT JOIN (SELECT *, 1 AS one FROM prices WHERE model = '') AS tool
    ON usage.one = tool.one AND usage.any_hour >= tool.effective_from
ASOF LEFT JOIN (SELECT *, 1 AS one FROM terms WHERE organization_id = {organization_id:UUID}) AS terms
    ON usage.one = terms.one AND usage.instant >= terms.in_force_from
SETTINGS do_not_merge_across_partitions_select_final = 1, join_use_nulls = 0;

-- A past month is merged into one part per table a day after its last write, and reading one part needs no merging by
-- FINAL, which is half the time of a count. A late event's part is merged in the same way.
ALTER TABLE spend_cells MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;
ALTER TABLE chat_cells MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;
ALTER TABLE file_cells MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;
ALTER TABLE project_cells MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;
ALTER TABLE artifact_cells MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;
ALTER TABLE connector_cells MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;
ALTER TABLE session_cells MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;

-- The state of every day of an organization's cells, which ClickHouse keeps with each part of a table, so that it is
-- never behind the cells: for each source the newest stamp, the number of rows, and the sum of a hash of each. It
-- decides whether a cached result is still valid (queries/data_version.sql). A merge that removes old versions changes
-- it too, which costs one more query and is never wrong.

ALTER TABLE spend_cells MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';
ALTER TABLE spend_cells ADD PROJECTION IF NOT EXISTS states (
    SELECT organization_id, toDate(hour), source, max(log_offset), count(), sum(sipHash64(*))
    GROUP BY organization_id, toDate(hour), source
);
ALTER TABLE spend_cells MATERIALIZE PROJECTION states;

ALTER TABLE chat_cells MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';
ALTER TABLE chat_cells ADD PROJECTION IF NOT EXISTS states (
    SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
    GROUP BY organization_id, day, source
);
ALTER TABLE chat_cells MATERIALIZE PROJECTION states;

ALTER TABLE file_cells MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';
ALTER TABLE file_cells ADD PROJECTION IF NOT EXISTS states (
    SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
    GROUP BY organization_id, day, source
);
ALTER TABLE file_cells MATERIALIZE PROJECTION states;

ALTER TABLE project_cells MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';
ALTER TABLE project_cells ADD PROJECTION IF NOT EXISTS states (
    SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
    GROUP BY organization_id, day, source
);
ALTER TABLE project_cells MATERIALIZE PROJECTION states;

ALTER TABLE artifact_cells MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';
ALTER TABLE artifact_cells ADD PROJECTION IF NOT EXISTS states (
    SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
    GROUP BY organization_id, day, source
);
ALTER TABLE artifact_cells MATERIALIZE PROJECTION states;

ALTER TABLE connector_cells MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';
ALTER TABLE connector_cells ADD PROJECTION IF NOT EXISTS states (
    SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
    GROUP BY organization_id, day, source
);
ALTER TABLE connector_cells MATERIALIZE PROJECTION states;

ALTER TABLE session_cells MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';
ALTER TABLE session_cells ADD PROJECTION IF NOT EXISTS states (
    SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
    GROUP BY organization_id, day, source
);
ALTER TABLE session_cells MATERIALIZE PROJECTION states;

ALTER TABLE directory MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';
ALTER TABLE directory ADD PROJECTION IF NOT EXISTS states (
    SELECT organization_id, count(), sum(sipHash64(*)) GROUP BY organization_id
);
ALTER TABLE directory MATERIALIZE PROJECTION states;

ALTER TABLE profiles MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';
ALTER TABLE profiles ADD PROJECTION IF NOT EXISTS states (SELECT count(), sum(sipHash64(*)));
ALTER TABLE profiles MATERIALIZE PROJECTION states;
