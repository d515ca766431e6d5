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

-- People's access: one-time links, sessions, organizations' identity providers, members according to the directory, and
-- the audit log. Secrets are not stored, as with keys: they are looked up by the SHA-256 of 256 random bits.

-- One-time links and browser sessions. Operators, who belong to the installation, have the zero organization. An ended
-- session is the same row with ended_at; revision decides, so it applies however often either is written.
CREATE TABLE IF NOT EXISTS credentials (
    secret_sha256 String, kind Enum8('link' = 1, 'session' = 2),
    organization_id UUID, account_id UUID, operator String COMMENT 'the operator''s name, empty for a person',
    created_at DateTime64(3, 'UTC'), expires_at DateTime64(3, 'UTC'), ended_at Nullable(DateTime64(3, 'UTC')),
    revision UInt8 COMMENT '0 made, 1 ended'
) ENGINE = ReplacingMergeTree(revision)
ORDER BY secret_sha256
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Every attempt to use a link, written before checking whether it is the only one: of two simultaneous attempts at most
-- one succeeds.
CREATE TABLE IF NOT EXISTS link_uses (
    secret_sha256 String, use_id UUID, used_at DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY secret_sha256
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The identity provider of an organization; the row saved last applies.
CREATE TABLE IF NOT EXISTS identity_providers (
    organization_id UUID, issuer String, audience String,
    jwks String COMMENT 'the URL of the public keys, or the keys themselves as JSON',
    claim String COMMENT 'the claim that names the account: its UUID, or its e-mail when the claim is email',
    token_type String COMMENT 'the header typ; empty: JWT or none',
    authorized_party String COMMENT 'the claim azp; empty: the audience',
    removed Bool, saved_at DateTime64(6, 'UTC')
) ENGINE = ReplacingMergeTree(saved_at)
ORDER BY organization_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Sign-ins and sign-outs, reads and exports of spend, and changes to its basis. Rows are added and never changed, and
-- contain no secret. Each has the hash of the newest entry before it, and its number among those of its writer, so a
-- changed or removed entry is detected.
CREATE TABLE IF NOT EXISTS audit_log (
    moment DateTime64(6, 'UTC'), organization_id UUID COMMENT 'zeros where no organization is known',
    actor String COMMENT 'key ID, person UUID, operator NAME, system user NAME; empty for nobody known',
    action LowCardinality(String) COMMENT 'sign-in, sign-out, read of spend, export, link, key, identity, money, audit',
    route String, filter String COMMENT 'the parameters as given, as JSON; what is beyond 4 kB as its hash',
    rows Nullable(UInt64), sha256 String COMMENT 'of the body or file; empty where nothing was given out',
    request_id String, outcome String COMMENT 'done, begun, broken off, or refused and why',
    address String COMMENT 'of the client; empty for a command',
    writer UUID COMMENT 'the process that wrote it, or one of its connections',
    number UInt64 COMMENT 'its place among those of the writer, from 1',
    previous String COMMENT 'entry_sha256 of the newest entry that the writer saw before; empty for the first of all',
    entry_sha256 String COMMENT 'SHA-256 of all of the above (docs/access.md)'
) ENGINE = MergeTree
ORDER BY (moment, organization_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- `tally sign-out`: tokens issued until then are refused. A zero account means everyone in the organization.
CREATE TABLE IF NOT EXISTS sign_outs (
    organization_id UUID, account_id UUID, operator String, ended_at DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (organization_id, account_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Every attempt to begin a session with a token, written before checking whether it is the only one.
CREATE TABLE IF NOT EXISTS token_uses (
    token_sha256 String COMMENT 'of its id, or of what was signed', use_id UUID, used_at DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY token_sha256
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Rows of usage reports to which a walk is pinned: its range extends past the present, so the data behind its pages
-- would change. Only ids and numbers; names are looked up when a page is returned.
CREATE TABLE IF NOT EXISTS usage_walks (
    walk_id String, place UInt32, row String COMMENT 'as JSON', begun_at DateTime('UTC') DEFAULT now('UTC')
) ENGINE = MergeTree
ORDER BY (walk_id, place)
TTL begun_at + INTERVAL 1 DAY;
