-- Every entry of the audit log with its place in the chain, by writer and number.
SELECT
    toUnixTimestamp64Micro(moment) AS moment_us, actor, action, outcome, toString(audit_log.organization_id) AS organization_id,
    route, filter, rows, sha256, request_id, address, toString(audit_log.writer) AS writer, number, previous, entry_sha256
FROM audit_log
ORDER BY audit_log.writer, number, moment, entry_sha256
