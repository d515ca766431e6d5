-- The directory's history, one row per event; (source, log_offset) makes a repeated write the same row. `log_place` is
-- the row's place in the log, and the only order of rows from several partitions: by the topic's epoch, then by the
-- log's time. Offsets decide only within a partition; of two partitions in the same millisecond, the one with the
-- greater number is later, because adding partitions moves keys to greater numbers.
CREATE TABLE IF NOT EXISTS directory (
    organization_id UUID, type LowCardinality(String), in_force_from DateTime64(6, 'UTC'),
    subject_id String COMMENT 'the account, group, invite, project, ... that the event is about, or empty',
    detail String COMMENT 'the event, as JSON',
    event_id String DEFAULT concat(source, '/', toString(log_offset)),
    occurred_at DateTime64(6, 'UTC') DEFAULT in_force_from, logged_at DateTime64(3, 'UTC'),
    source LowCardinality(String), log_offset UInt64,
    epoch UInt32 MATERIALIZED toUInt32OrZero(extract(source, '@(.*)')),
    log_place Tuple(UInt32, DateTime64(3, 'UTC'), UInt32, UInt64) ALIAS (
        epoch, logged_at, toUInt32OrZero(extract(source, '/([0-9]+)@')), log_offset
    ),
    PROJECTION states (
        SELECT organization_id, count(), sum(sipHash64(*)) GROUP BY organization_id
    )
) ENGINE = ReplacingMergeTree(log_offset)
ORDER BY (organization_id, type, subject_id, in_force_from, source, log_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    deduplicate_merge_projection_mode = 'rebuild';

-- The only personal data: for each account, what each organization last reported, and tombstones, which belong to no
-- organization. Within a source, the newest by `occurred_at` applies, then by the log (`order`). A tombstone's
-- `occurred_at` is its log time. Forgotten rows are deleted (sinks/store.py).
CREATE TABLE IF NOT EXISTS profiles (
    organization_id UUID, account_id UUID, email String, name String, forgotten UInt8,
    event_id String, occurred_at DateTime64(6, 'UTC'), logged_at DateTime64(3, 'UTC'),
    source LowCardinality(String), log_offset UInt64,
    epoch UInt32 MATERIALIZED toUInt32OrZero(extract(source, '@(.*)')),
    log_place Tuple(UInt32, DateTime64(3, 'UTC'), UInt32, UInt64) ALIAS (
        epoch, logged_at, toUInt32OrZero(extract(source, '/([0-9]+)@')), log_offset
    ),
    version UInt256 MATERIALIZED bitOr(bitOr(
        bitShiftLeft(toUInt256(toUnixTimestamp64Micro(occurred_at)), 128),
        bitShiftLeft(toUInt256(toUnixTimestamp64Milli(logged_at)), 64)
    ), toUInt256(log_offset)),
    PROJECTION states (SELECT count(), sum(sipHash64(*)))
) ENGINE = ReplacingMergeTree(version)
ORDER BY (forgotten, organization_id, account_id, source)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    deduplicate_merge_projection_mode = 'rebuild';

-- Where usage belongs in the customer's organization: immutable, attribution_id is the hash of the other fields.
CREATE TABLE IF NOT EXISTS attributions (
    attribution_id UUID, workspace_id UUID, api_key_id UUID, session_id UUID, agent_id UUID, deployment_id UUID,
    environment_id UUID, user_profile_id UUID, slack_channel_id String, claude_tag_user_id String,
    claude_tag_category LowCardinality(String), terminal LowCardinality(String), is_remote Nullable(UInt8),
    skills Array(LowCardinality(String))
) ENGINE = ReplacingMergeTree
ORDER BY attribution_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
