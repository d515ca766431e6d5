-- The members of an organization with this e-mail address: exactly, or in any case.
SELECT account_id
FROM memberships
WHERE organization_id = {organization_id:UUID} AND membership = 'member.joined'
    AND account_id IN (
        SELECT toString(account_id) FROM people_of(organization_id = {organization_id:UUID})
        WHERE NOT deleted
            AND (email = {email:String} OR ({any_case:Bool} AND lowerUTF8(email) = lowerUTF8({email:String})))
    )
ORDER BY account_id
