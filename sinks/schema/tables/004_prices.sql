-- Price lists, each kept complete and forever under the hash of its content; the one loaded last is in force. A list is
-- in force once its row is in price_lists, so no list is ever partly in force, and no list that a report used is lost.
CREATE TABLE IF NOT EXISTS price_lists (
    revision UInt32 COMMENT 'the number of the load; the greatest is in force',
    list String COMMENT 'sha256 of what is in the list: all its rows below',
    source String COMMENT 'the file, or "shipped"',
    prices UInt32, loaded_at DateTime64(3, 'UTC'), loaded_by String
) ENGINE = MergeTree ORDER BY revision
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The prices of every list, expanded: the cost in USD of one token, web search or millisecond of code execution from an
-- hour on. NULL: this row has no price for that unit. Tools (web search, code execution) have their prices in the row
-- of model ''.
CREATE TABLE IF NOT EXISTS listed_prices (
    list LowCardinality(String),
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
    origin String COMMENT 'the public page that says so, and when it was read',
    price_key Tuple(
        model LowCardinality(String), service_tier LowCardinality(String), context_window LowCardinality(String),
        inference_geo LowCardinality(String), speed LowCardinality(String)
    ) ALIAS (model, service_tier, context_window, inference_geo, speed)
        COMMENT 'the usage that has this price: that of spend_cells with this price_key',
    CONSTRAINT whole_hour CHECK toStartOfHour(effective_from) = effective_from
) ENGINE = ReplacingMergeTree
ORDER BY (list, model, service_tier, context_window, inference_geo, speed, effective_from)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Properties of models in each list, other than prices.
CREATE TABLE IF NOT EXISTS listed_models (
    list LowCardinality(String), model LowCardinality(String), family LowCardinality(String), display_name String
) ENGINE = ReplacingMergeTree
ORDER BY (list, model)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
