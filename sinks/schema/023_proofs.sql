-- Ends of sign-ins, and the permitted uses of an identity provider's tokens.

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

-- The kind of token that an organization accepts, and the client to which it may have been issued, if not the audience.
ALTER TABLE identity_providers
    ADD COLUMN IF NOT EXISTS token_type String COMMENT 'the header typ; empty: JWT or none',
    ADD COLUMN IF NOT EXISTS authorized_party String COMMENT 'the claim azp; empty: the audience';
