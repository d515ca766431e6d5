-- The valid links and sessions of an organization, of one account in it, or of an operator.
SELECT
    secret_sha256, kind, toString(credentials.organization_id) AS organization_id, toString(account_id) AS account_id,
    operator, toUnixTimestamp64Milli(created_at) AS created_ms, toUnixTimestamp64Milli(expires_at) AS expires_ms
FROM credentials FINAL
WHERE ended_at IS NULL AND expires_at > fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC')
    AND credentials.organization_id = {organization_id:UUID} AND operator = {operator:String}
    AND ({everybody:Bool} OR credentials.account_id = {account_id:UUID})
