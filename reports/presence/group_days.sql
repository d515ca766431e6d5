-- The days (from, to) on which people were in one of these groups: one row per person, group and span.
SELECT account_id, span.2, span.3
FROM group_days
ARRAY JOIN arrayFilter(m -> has({groups:Array(UUID)}, m.1), memberships) AS span
WHERE organization_id = {organization_id:UUID}
