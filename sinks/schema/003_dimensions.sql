-- The directory's history, one row an event; (source, log_offset) makes a repeated write the same row.
-- `log_place` is where in the log a row comes from, and the one order of rows that come from several partitions: by the
-- topic's epoch, then by the log's own time. Offsets decide within one partition alone; of partitions in one millisecond
-- the one with the greater number is the later, since more partitions move a key to a greater number.
CREATE TABLE IF NOT EXISTS directory (
    organization_id UUID, type LowCardinality(String), in_force_from DateTime64(6, 'UTC'),
    subject_id String COMMENT 'the account, group, invite, project, ... that the event is about, or empty',
    detail String COMMENT 'the event, as JSON',
    event_id String DEFAULT concat(source, '/', toString(log_offset)),
    occurred_at DateTime64(6, 'UTC') DEFAULT in_force_from, logged_at DateTime64(3, 'UTC'),
    source LowCardinality(String), log_offset UInt64,
    log_place Tuple(UInt32, DateTime64(3, 'UTC'), UInt32, UInt64) ALIAS (
        toUInt32OrZero(extract(source, '@(.*)')), logged_at, toUInt32OrZero(extract(source, '/([0-9]+)@')), log_offset
    )
) ENGINE = ReplacingMergeTree(log_offset)
ORDER BY (organization_id, type, subject_id, in_force_from, source, log_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The directory as it counts. `place` is the order of all changes: by when they are in force, then by when they
-- happened, then by the log. An event stands once, at its first place, however often and wherever it was repeated.
CREATE OR REPLACE VIEW directory_history AS
SELECT
    organization_id, type, subject_id, in_force_from, argMin(row.detail, row.log_place) AS detail,
    (in_force_from, argMin(row.occurred_at, row.log_place), min(row.log_place)) AS place
FROM (
    SELECT organization_id, type, subject_id, in_force_from, event_id, detail, occurred_at, log_place FROM directory FINAL
    WHERE toUInt32OrZero(extract(source, '@(.*)'))
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.directory' AND mode = 'replace')
) AS row
GROUP BY organization_id, type, subject_id, in_force_from, event_id;

-- The one place that holds personal data: of each account what an organization told of it last, and each tombstone, which
-- belongs to no organization. Of one source the newest by `occurred_at` holds, then by the log (`order`). A tombstone's
-- `occurred_at` is its log time. What a tombstone forgets is deleted (sinks/store.py).
CREATE TABLE IF NOT EXISTS profiles (
    organization_id UUID, account_id UUID, email String, name String, forgotten UInt8,
    event_id String, occurred_at DateTime64(6, 'UTC'), logged_at DateTime64(3, 'UTC'),
    source LowCardinality(String), log_offset UInt64,
    log_place Tuple(UInt32, DateTime64(3, 'UTC'), UInt32, UInt64) ALIAS (
        toUInt32OrZero(extract(source, '@(.*)')), logged_at, toUInt32OrZero(extract(source, '/([0-9]+)@')), log_offset
    ),
    version UInt256 MATERIALIZED bitOr(bitOr(
        bitShiftLeft(toUInt256(toUnixTimestamp64Micro(occurred_at)), 128),
        bitShiftLeft(toUInt256(toUnixTimestamp64Milli(logged_at)), 64)
    ), toUInt256(log_offset))
) ENGINE = ReplacingMergeTree(version)
ORDER BY (forgotten, organization_id, account_id, source)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Where usage belongs in the customer's estate: immutable, attribution_id is the hash of the other fields.
CREATE TABLE IF NOT EXISTS attributions (
    attribution_id UUID, workspace_id UUID, api_key_id UUID, session_id UUID, agent_id UUID, deployment_id UUID,
    environment_id UUID, user_profile_id UUID, slack_channel_id String, claude_tag_user_id String,
    claude_tag_category LowCardinality(String), terminal LowCardinality(String), is_remote Nullable(UInt8),
    skills Array(LowCardinality(String))
) ENGINE = ReplacingMergeTree
ORDER BY attribution_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
