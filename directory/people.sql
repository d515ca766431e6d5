-- Everyone whom the organization knows: its members, its former members, and accounts with nothing but a profile. A
-- person who was removed or deleted has no role, no seat and no groups.
WITH
    roles AS (SELECT account_id, membership, role FROM memberships WHERE organization_id = {organization_id:UUID}),
    seats AS (
        SELECT account_id, argMax(seated, place) AS held
        FROM seat_changes WHERE organization_id = {organization_id:UUID} GROUP BY account_id
    ),
    profiles_now AS (
        SELECT toString(account_id) AS account_id, email, name
        FROM people_of(organization_id = {organization_id:UUID}) WHERE email != ''
    ),
    groups_now AS (
        SELECT toString(group_memberships.account_id) AS account_id, groupUniqArray(toString(group_id)) AS held
        FROM group_memberships WHERE organization_id = {organization_id:UUID} AND left_at IS NULL
        GROUP BY account_id
    )
SELECT
    known.account_id AS account_id, roles.membership AS membership, roles.role AS role, toBool(seats.held) AS seat,
    groups_now.held AS groups, profiles_now.email AS email, profiles_now.name AS name
FROM (SELECT account_id FROM roles UNION DISTINCT SELECT account_id FROM profiles_now) AS known
LEFT JOIN roles ON roles.account_id = known.account_id
LEFT JOIN seats ON seats.account_id = known.account_id
LEFT JOIN profiles_now ON profiles_now.account_id = known.account_id
LEFT JOIN groups_now ON groups_now.account_id = known.account_id
ORDER BY email, account_id
