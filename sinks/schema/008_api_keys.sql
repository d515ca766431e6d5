-- Keys of the API. A secret is never kept: 256 random bits need no salt and no slow hash, SHA-256 of them is as hard to
-- turn around as they are to guess. A key is looked up by the hash, so comparing takes no secret-dependent time.
-- A revocation is the same row with revoked_at; revision decides, so it holds however often either is written.
CREATE TABLE IF NOT EXISTS api_keys (
    secret_sha256 String, key_id String COMMENT 'public: the first part of the key, for lists and revocations',
    organization_id UUID, name String, scopes Array(LowCardinality(String)),
    created_at DateTime64(3, 'UTC'), expires_at Nullable(DateTime64(3, 'UTC')),
    revoked_at Nullable(DateTime64(3, 'UTC')), revision UInt8 COMMENT '0 made, 1 revoked'
) ENGINE = ReplacingMergeTree(revision)
ORDER BY secret_sha256
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Written at most once a minute a key; lost with a crash, which harms nobody.
CREATE TABLE IF NOT EXISTS api_key_uses (
    key_id String, last_used_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = AggregatingMergeTree
ORDER BY key_id;

-- What the API signs its cursors with, so that any of its processes takes up what another began. The oldest row holds.
CREATE TABLE IF NOT EXISTS api_cursor_secrets (
    secret String, created_at DateTime64(6, 'UTC')
) ENGINE = MergeTree
ORDER BY created_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
