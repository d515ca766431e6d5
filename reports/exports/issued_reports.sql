-- Revisions of the organization's issued reports, newest day and revision first; with {revision} only that one.
SELECT
    day, revision, file_name, sha256, rows, issued_at, data_refreshed_at, total_requests, total_net_spend_usd,
    total_gross_spend_usd, arrayMap(model -> toString(model), unpriced_models) AS unpriced, changes
FROM issued_reports FINAL
WHERE organization_id = {organization_id:UUID}
    AND ({revision:UInt32} = 0 OR (day = {day:Date} AND revision = {revision:UInt32}))
ORDER BY day DESC, revision DESC
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
