-- On which days (from, to) people were in one of these groups: a row a person, a group and a span.
SELECT account_id, span.2, span.3
FROM group_memberships
ARRAY JOIN arrayFilter(m -> has({groups:Array(UUID)}, m.1), memberships) AS span
WHERE organization_id = {organization_id:UUID}
