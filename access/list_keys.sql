-- All keys, or those of one organization, oldest first, with the last use of each.
SELECT
    key_id, toString(organization_id) AS organization_id, name, scopes, toUnixTimestamp64Milli(created_at) AS created_ms,
    toUnixTimestamp64Milli(expires_at) AS expires_ms, toUnixTimestamp64Milli(revoked_at) AS revoked_ms,
    nullIf(toUnixTimestamp64Milli(used.last_used_at), 0) AS used_ms, secret_sha256
FROM (SELECT * FROM api_keys FINAL) AS keys
LEFT JOIN (SELECT key_id, max(last_used_at) AS last_used_at FROM api_key_uses GROUP BY key_id) AS used
    ON used.key_id = keys.key_id
WHERE {organization_id:String} = '' OR toString(organization_id) = {organization_id:String}
ORDER BY created_ms, key_id
