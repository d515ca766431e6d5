-- The price list, expanded: what one token, web search or millisecond of code execution costs in USD from an hour on.
-- Append-only (reports/prices.py refuses to change a row), so a report can be made again with the prices it had.
-- NULL: this row does not price that unit. Tools (web search, code execution) are priced by the row of model ''.
CREATE TABLE IF NOT EXISTS prices (
    model LowCardinality(String) COMMENT 'without its date: claude-x-20250101 costs what claude-x does',
    service_tier LowCardinality(String), context_window LowCardinality(String),
    inference_geo LowCardinality(String), speed LowCardinality(String),
    effective_from DateTime('UTC'),
    uncached_input_token_usd Nullable(Decimal(18, 12)), cache_read_input_token_usd Nullable(Decimal(18, 12)),
    cache_creation_5m_input_token_usd Nullable(Decimal(18, 12)),
    cache_creation_1h_input_token_usd Nullable(Decimal(18, 12)), output_token_usd Nullable(Decimal(18, 12)),
    web_search_request_usd Nullable(Decimal(18, 12)),
    execution_millisecond_usd Nullable(Decimal(38, 18))
        COMMENT '0.05 USD / 3600000 has no end, so the list states the price to 18 digits and that is exact by definition',
    revision UInt32 COMMENT 'the load that brought this row',
    origin String COMMENT 'the public page that says so, and when it was read',
    CONSTRAINT whole_hour CHECK toStartOfHour(effective_from) = effective_from
) ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, service_tier, context_window, inference_geo, speed, effective_from)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What the price list says of a model besides its prices.
CREATE TABLE IF NOT EXISTS models (
    model LowCardinality(String), family LowCardinality(String), display_name String, revision UInt32
) ENGINE = ReplacingMergeTree(revision)
ORDER BY model
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
