-- Cells: private tables that only workers write (declared in aggregators/cell_tables.py).
-- ReplacingMergeTree(log_offset): equal stamps have equal values; a stale writer has a smaller stamp and loses.
-- PARTITION BY is a function of the sort key, so FINAL never has to look across partitions. Windows are Date or
-- DateTime('UTC'): a DateTime without a time zone would mean another hour if the server's time zone changed.
-- `epoch` is the source's, parsed once, when a cell is written: the views `*_current` compare it with the topic's floor.
CREATE TABLE IF NOT EXISTS spend_cells (
    source LowCardinality(String), organization_id UUID, hour DateTime('UTC'),
    actor_type LowCardinality(String), actor_id UUID, product LowCardinality(String), model LowCardinality(String),
    service_tier LowCardinality(String), context_window LowCardinality(String), inference_geo LowCardinality(String),
    speed LowCardinality(String), funding LowCardinality(String), attribution_id UUID,
    log_offset UInt64 COMMENT 'offset of the last event folded into this cell',
    requests UInt64, uncached_input_tokens UInt64, cache_read_input_tokens UInt64,
    cache_creation_5m_input_tokens UInt64, cache_creation_1h_input_tokens UInt64, output_tokens UInt64,
    web_search_requests UInt64, execution_spans UInt64, execution_milliseconds UInt64,
    undated_model LowCardinality(String) ALIAS replaceRegexpOne(model, '-(20[0-9]{6}|latest)$', ''),
    price_key Tuple(
        model LowCardinality(String), service_tier LowCardinality(String), context_window LowCardinality(String),
        inference_geo LowCardinality(String), speed LowCardinality(String)
    ) ALIAS (
        undated_model, service_tier,
        if(context_window = '' AND model != '', '0-200k', context_window),
        if(inference_geo = '' AND model != '', 'global', inference_geo),
        if(speed = '' AND model != '', 'standard', speed)
    ) COMMENT 'the price that applies: that of listed_prices with this price_key',
    epoch UInt32 MATERIALIZED toUInt32OrZero(extract(source, '@(.*)')),
    PROJECTION states (
        SELECT organization_id, toDate(hour), source, epoch, max(log_offset), count(), sum(sipHash64(*))
        GROUP BY organization_id, toDate(hour), source, epoch
    ),
    PROJECTION days (
        SELECT
            organization_id, toDate(hour), epoch, actor_type, product, model, service_tier, context_window, inference_geo,
            speed, funding, web_search_requests > 0, execution_milliseconds > 0,
            sum(requests), sum(uncached_input_tokens), sum(cache_read_input_tokens), sum(cache_creation_5m_input_tokens),
            sum(cache_creation_1h_input_tokens), sum(output_tokens), sum(web_search_requests), sum(execution_spans),
            sum(execution_milliseconds)
        GROUP BY
            organization_id, toDate(hour), epoch, actor_type, product, model, service_tier, context_window, inference_geo,
            speed, funding, web_search_requests > 0, execution_milliseconds > 0
    )
) ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(hour)
ORDER BY (organization_id, hour, source, actor_type, actor_id, product, model, service_tier, context_window,
          inference_geo, speed, funding, attribution_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    deduplicate_merge_projection_mode = 'rebuild';

CREATE TABLE IF NOT EXISTS chat_cells (
    source LowCardinality(String), organization_id UUID, day Date,
    actor_type LowCardinality(String), actor_id UUID, product LowCardinality(String), surface LowCardinality(String),
    project_id UUID, conversation_id UUID, log_offset UInt64,
    messages UInt64, thinking_messages UInt64, shared_views UInt64, web_searches UInt64, started UInt64,
    epoch UInt32 MATERIALIZED toUInt32OrZero(extract(source, '@(.*)')),
    PROJECTION states (
        SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
        GROUP BY organization_id, day, source
    )
) ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(day)
ORDER BY (organization_id, day, source, actor_type, actor_id, product, surface, project_id, conversation_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    deduplicate_merge_projection_mode = 'rebuild';

CREATE TABLE IF NOT EXISTS file_cells (
    source LowCardinality(String), organization_id UUID, day Date,
    actor_type LowCardinality(String), actor_id UUID, product LowCardinality(String), project_id UUID, file_id UUID,
    log_offset UInt64, uploads UInt64,
    epoch UInt32 MATERIALIZED toUInt32OrZero(extract(source, '@(.*)')),
    PROJECTION states (
        SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
        GROUP BY organization_id, day, source
    )
) ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(day)
ORDER BY (organization_id, day, source, actor_type, actor_id, product, project_id, file_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    deduplicate_merge_projection_mode = 'rebuild';

CREATE TABLE IF NOT EXISTS project_cells (
    source LowCardinality(String), organization_id UUID, day Date,
    actor_type LowCardinality(String), actor_id UUID, product LowCardinality(String), project_id UUID,
    log_offset UInt64, created UInt64, used UInt64,
    epoch UInt32 MATERIALIZED toUInt32OrZero(extract(source, '@(.*)')),
    PROJECTION states (
        SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
        GROUP BY organization_id, day, source
    )
) ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(day)
ORDER BY (organization_id, day, source, actor_type, actor_id, product, project_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    deduplicate_merge_projection_mode = 'rebuild';

CREATE TABLE IF NOT EXISTS artifact_cells (
    source LowCardinality(String), organization_id UUID, day Date COMMENT 'day of the artifact''s creation',
    actor_type LowCardinality(String), actor_id UUID, product LowCardinality(String), surface LowCardinality(String),
    project_id UUID, artifact_type LowCardinality(String), artifact_id UUID,
    log_offset UInt64, created UInt64, shared UInt64, published UInt64, viewed UInt64,
    epoch UInt32 MATERIALIZED toUInt32OrZero(extract(source, '@(.*)')),
    PROJECTION states (
        SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
        GROUP BY organization_id, day, source
    )
) ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(day)
ORDER BY (organization_id, day, source, actor_type, actor_id, product, surface, project_id, artifact_type, artifact_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    deduplicate_merge_projection_mode = 'rebuild';

CREATE TABLE IF NOT EXISTS connector_cells (
    source LowCardinality(String), organization_id UUID, day Date,
    actor_type LowCardinality(String), actor_id UUID, product LowCardinality(String), surface LowCardinality(String),
    project_id UUID, kind LowCardinality(String), name String, auth_mode LowCardinality(String), session_id UUID,
    log_offset UInt64, read_calls UInt64, write_calls UInt64, unclassified_calls UInt64, uses UInt64,
    enabled UInt64, installed UInt64, credentials UInt64,
    epoch UInt32 MATERIALIZED toUInt32OrZero(extract(source, '@(.*)')),
    PROJECTION states (
        SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
        GROUP BY organization_id, day, source
    )
) ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(day)
ORDER BY (organization_id, day, source, actor_type, actor_id, product, surface, project_id, kind, name, auth_mode,
          session_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    deduplicate_merge_projection_mode = 'rebuild';

CREATE TABLE IF NOT EXISTS session_cells (
    source LowCardinality(String), organization_id UUID, day Date,
    actor_type LowCardinality(String), actor_id UUID, product LowCardinality(String), surface LowCardinality(String),
    terminal LowCardinality(String), is_remote UInt8, session_id UUID,
    log_offset UInt64, started UInt64, messages UInt64, tool_uses UInt64, actions UInt64, dispatch_turns UInt64,
    lines_added UInt64, lines_removed UInt64, commits UInt64, pull_requests UInt64,
    edit_accepted UInt64, edit_rejected UInt64, multi_edit_accepted UInt64, multi_edit_rejected UInt64,
    write_accepted UInt64, write_rejected UInt64, notebook_edit_accepted UInt64, notebook_edit_rejected UInt64,
    delegations UInt64, remote_jobs UInt64,
    epoch UInt32 MATERIALIZED toUInt32OrZero(extract(source, '@(.*)')),
    PROJECTION states (
        SELECT organization_id, day, source, max(log_offset), count(), sum(sipHash64(*))
        GROUP BY organization_id, day, source
    )
) ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(day)
ORDER BY (organization_id, day, source, actor_type, actor_id, product, surface, terminal, is_remote, session_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    deduplicate_merge_projection_mode = 'rebuild';

-- Live counters: shown for seven days and kept for eight, so that no page is read back half deleted.
CREATE TABLE IF NOT EXISTS minute_cells (
    source LowCardinality(String), organization_id UUID, minute DateTime('UTC'),
    product LowCardinality(String), model LowCardinality(String),
    undated_model LowCardinality(String) ALIAS replaceRegexpOne(model, '-(20[0-9]{6}|latest)$', ''),
    log_offset UInt64, events UInt64, requests UInt64, uncached_input_tokens UInt64, cache_read_input_tokens UInt64,
    cache_creation_5m_input_tokens UInt64, cache_creation_1h_input_tokens UInt64, output_tokens UInt64,
    epoch UInt32 MATERIALIZED toUInt32OrZero(extract(source, '@(.*)'))
) ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(minute)
ORDER BY (organization_id, minute, source, product, model)
TTL minute + INTERVAL 8 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
