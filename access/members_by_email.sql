-- The members of an organization with exactly this e-mail address.
SELECT account_id
FROM (
    SELECT account_id, argMaxIf(type, place, type != 'role.changed') AS membership
    FROM member_changes WHERE organization_id = {organization_id:UUID} GROUP BY account_id
)
WHERE membership = 'member.joined'
    AND account_id IN (
        SELECT toString(account_id) FROM people_of(organization_id = {organization_id:UUID})
        WHERE email = {email:String} AND NOT deleted
    )
ORDER BY account_id
