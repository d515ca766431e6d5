-- API keys. Secrets are not stored: 256 random bits need no salt and no slow hash, because inverting their SHA-256 is
-- as hard as guessing them. A key is looked up by its hash, so the comparison takes no secret-dependent time. A
-- revocation is the same row with revoked_at; revision decides, so it applies however often either is written.
CREATE TABLE IF NOT EXISTS api_keys (
    secret_sha256 String, key_id String COMMENT 'public: the first part of the key, for lists and revocations',
    organization_id UUID, name String, scopes Array(LowCardinality(String)),
    created_at DateTime64(3, 'UTC'), expires_at Nullable(DateTime64(3, 'UTC')),
    revoked_at Nullable(DateTime64(3, 'UTC')), revision UInt8 COMMENT '0 made, 1 revoked'
) ENGINE = ReplacingMergeTree(revision)
ORDER BY secret_sha256
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Written at most once a minute per key; lost in a crash, which does no harm.
CREATE TABLE IF NOT EXISTS api_key_uses (
    key_id String, last_used_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = AggregatingMergeTree
ORDER BY key_id;

-- The secret with which the API signs cursors, so that any of its processes continues what another began. The oldest
-- row applies.
CREATE TABLE IF NOT EXISTS api_cursor_secrets (
    secret String, created_at DateTime64(6, 'UTC')
) ENGINE = MergeTree
ORDER BY created_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
