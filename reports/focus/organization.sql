-- An organization's present name.
SELECT name FROM organizations
WHERE organization_id = {organization_id:UUID} AND in_force_until IS NULL
