-- The position of each source: everything below next_offset is in the cells, and everything that the log had received
-- by watermark is below next_offset. Written last in every flush, so a position is never ahead of its cells. max() of
-- each column makes the rows of a zombie worker harmless, because both statements remain true.
CREATE TABLE IF NOT EXISTS source_positions (
    source String,
    next_offset SimpleAggregateFunction(max, UInt64),
    watermark SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    fold_version SimpleAggregateFunction(max, UInt32),
    last_record SimpleAggregateFunction(max, String)
        COMMENT 'offset, zero-padded to 20 digits, a colon, and the fingerprint of the last record folded'
) ENGINE = AggregatingMergeTree
ORDER BY source
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The epoch of each topic: a recreated topic starts a new one (`tally epoch`). mode 'continue' keeps counting the cells
-- of older epochs, 'replace' leaves them out of every view.
CREATE TABLE IF NOT EXISTS topic_epochs (
    topic LowCardinality(String), epoch UInt32, mode Enum8('continue' = 1, 'replace' = 2),
    started_at DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree
ORDER BY (topic, epoch)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Records that retention removed before they were folded, and that the operator accepted as lost (`tally positions
-- accept`): offsets [from_offset, to_offset) of a source are in no table.
CREATE TABLE IF NOT EXISTS accepted_losses (
    source String, from_offset UInt64, to_offset UInt64, accepted_at DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (source, from_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
