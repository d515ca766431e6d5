-- The link or session with this hash, as it is now.
SELECT
    secret_sha256, kind, toString(organization_id) AS organization_id, toString(account_id) AS account_id, operator,
    toUnixTimestamp64Milli(created_at) AS created_ms, toUnixTimestamp64Milli(expires_at) AS expires_ms
FROM credentials FINAL
WHERE secret_sha256 = {secret_sha256:String} AND kind = {kind:String} AND ended_at IS NULL
