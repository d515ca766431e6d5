-- These accounts now, and whether they have left the organization or were deleted.
SELECT
    toString(asked.account_id) AS account_id, known.email AS email, known.name AS name, known.has_left AS has_left,
    known.deleted AS is_deleted
FROM (SELECT arrayJoin({accounts:Array(UUID)}) AS account_id) AS asked
LEFT JOIN people_of(organization_id = {organization_id:UUID}) AS known ON known.account_id = asked.account_id
