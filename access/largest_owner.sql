-- A primary owner of the organization with the most members.
SELECT organization_id, account_id
FROM (
    SELECT
        toString(organization_id) AS organization_id, account_id, role,
        count() OVER (PARTITION BY organization_id) AS members
    FROM memberships
)
WHERE role = 'primary_owner'
ORDER BY members DESC, organization_id, account_id
LIMIT 1
