-- What ends with a sign-out, and what a token of an identity provider is good for.

-- `tally sign-out`: tokens that were issued until then let nobody in. A zero account is everybody of the organization.
CREATE TABLE IF NOT EXISTS sign_outs (
    organization_id UUID, account_id UUID, operator String, ended_at DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (organization_id, account_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Every attempt to make a session of a token, written before it is looked whether it is the only one.
CREATE TABLE IF NOT EXISTS token_uses (
    token_sha256 String COMMENT 'of its id, or of what was signed', use_id UUID, used_at DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY token_sha256
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Which kind of token an organization takes, and to whom it may have been issued besides the audience.
ALTER TABLE identity_providers
    ADD COLUMN IF NOT EXISTS token_type String COMMENT 'the header typ; empty: JWT or none',
    ADD COLUMN IF NOT EXISTS authorized_party String COMMENT 'the claim azp; empty: the audience';
