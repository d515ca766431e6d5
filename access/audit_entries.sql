-- The newest entries of the audit log, for one organization or all of them, newest first.
SELECT
    toUnixTimestamp64Micro(moment) AS moment_us, toString(organization_id) AS organization_id, actor, action, route, filter,
    rows, sha256, request_id, outcome, address
FROM audit_log
WHERE ({organization_id:String} = '' OR audit_log.organization_id = toUUIDOrZero({organization_id:String}))
    AND moment >= fromUnixTimestamp64Micro({since_us:Int64}, 'UTC')
ORDER BY moment DESC, request_id DESC
LIMIT {limit:UInt64}
