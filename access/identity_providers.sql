-- The identity providers of all organizations or of one, or those with one issuer.
SELECT toString(identity_providers.organization_id) AS organization_id, issuer, audience, jwks, claim,
    token_type, authorized_party
FROM identity_providers FINAL
WHERE NOT removed
    AND ({organization_id:String} = '' OR identity_providers.organization_id = toUUIDOrZero({organization_id:String}))
    AND ({issuer:String} = '' OR issuer = {issuer:String})
ORDER BY organization_id
