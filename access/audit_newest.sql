-- The hash of the newest entry of the audit log.
SELECT entry_sha256 FROM audit_log ORDER BY moment DESC, number DESC LIMIT 1
