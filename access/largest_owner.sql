-- A primary owner of the organization with the most members.
SELECT organization_id, account_id
FROM (
    SELECT
        toString(organization_id) AS organization_id, account_id,
        argMaxIf(type, place, type != 'role.changed') AS membership,
        argMaxIf(role, place, type IN ('member.joined', 'role.changed')) AS last_role,
        count() OVER (PARTITION BY organization_id) AS members
    FROM member_changes GROUP BY organization_id, account_id
)
WHERE membership = 'member.joined' AND last_role = 'primary_owner'
ORDER BY members DESC, organization_id, account_id
LIMIT 1
