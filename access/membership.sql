-- The present role, e-mail address and plan of a person in an organization. A person who was removed or deleted has no
-- role, even if a role was set since; a forgotten person's account is gone in every organization. A plan counts from its
-- hour on, a change of a member immediately: it may be stamped minutes ahead, and a removed member must not stay in.
WITH person AS (
    SELECT
        argMaxIf(type, place, type != 'role.changed') AS membership,
        argMaxIf(role, place, type IN ('member.joined', 'role.changed')) AS last_role
    FROM member_changes
    WHERE organization_id = {organization_id:UUID} AND account_id = {account_id:String}
)
SELECT
    if(membership = 'member.joined' AND NOT profile.deleted, last_role, '') AS role, profile.email AS email,
    (
        SELECT argMax(JSONExtractString(detail, 'plan'), place) FROM directory_changes
        WHERE organization_id = {organization_id:UUID} AND type = 'plan.changed'
            AND in_force_from <= fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC')
    ) AS plan
FROM person
CROSS JOIN (
    SELECT any(email) AS email, max(deleted) AS deleted
    FROM people_of(organization_id = {organization_id:UUID}) WHERE account_id = {account_id:UUID}
) AS profile
