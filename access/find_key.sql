-- The key with this hash, as it is now.
SELECT
    key_id, toString(organization_id) AS organization_id, name, scopes, toUnixTimestamp64Milli(created_at) AS created_ms,
    toUnixTimestamp64Milli(expires_at) AS expires_ms, toUnixTimestamp64Milli(revoked_at) AS revoked_ms,
    NULL AS used_ms, secret_sha256
FROM api_keys FINAL
WHERE secret_sha256 = {secret_sha256:String}
