-- What the organization is called now.
SELECT name FROM organizations
WHERE organization_id = {organization_id:UUID} AND in_force_from <= now64(6, 'UTC')
ORDER BY in_force_from DESC LIMIT 1
