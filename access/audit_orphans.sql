-- Entries whose previous entry is no longer in the audit log.
SELECT toUnixTimestamp64Micro(moment) AS moment_us, toString(audit_log.writer) AS writer, number, previous
FROM audit_log
WHERE previous != '' AND previous NOT IN (SELECT entry_sha256 FROM audit_log)
ORDER BY moment, number
