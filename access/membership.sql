-- The present role, e-mail address and plan of a person in an organization. A forgotten person's account is gone in every
-- organization. A plan counts from its hour on, a change of a member immediately: it may be stamped minutes ahead, and a
-- removed member must not stay in.
SELECT
    if(profile.deleted, '', person.role) AS role, profile.email AS email,
    (
        SELECT argMax(JSONExtractString(detail, 'plan'), place) FROM directory_changes
        WHERE organization_id = {organization_id:UUID} AND type = 'plan.changed'
            AND in_force_from <= fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC')
    ) AS plan
FROM (
    SELECT any(memberships.role) AS role FROM memberships
    WHERE organization_id = {organization_id:UUID} AND account_id = {account_id:String}
) AS person
CROSS JOIN (
    SELECT any(email) AS email, max(deleted) AS deleted
    FROM people_of(organization_id = {organization_id:UUID}) WHERE account_id = {account_id:UUID}
) AS profile
