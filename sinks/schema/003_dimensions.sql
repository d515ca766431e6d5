-- The directory's history, one row an event; (source, log_offset) makes a repeated write the same row.
CREATE TABLE IF NOT EXISTS directory (
    organization_id UUID, type LowCardinality(String), in_force_from DateTime64(6, 'UTC'),
    subject_id String COMMENT 'the account, group, invite, project, ... that the event is about, or empty',
    detail String COMMENT 'the event, as JSON',
    source LowCardinality(String), log_offset UInt64
) ENGINE = ReplacingMergeTree(log_offset)
ORDER BY (organization_id, type, subject_id, in_force_from, source, log_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The one place that holds personal data. A forgotten person is the row of a tombstone: empty, forgotten = 1.
CREATE TABLE IF NOT EXISTS profiles (
    account_id UUID, email String, name String, forgotten UInt8,
    source LowCardinality(String), log_offset UInt64
) ENGINE = ReplacingMergeTree(log_offset)
ORDER BY (account_id, source)
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
