-- When `tally sign-out` last ended access for a person or for their whole organization; 0 for never.
SELECT toUnixTimestamp64Milli(max(ended_at)) AS ended_ms
FROM sign_outs
WHERE organization_id = {organization_id:UUID} AND operator = ''
    AND account_id IN (toUUID('00000000-0000-0000-0000-000000000000'), {account_id:UUID})
