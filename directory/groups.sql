-- The groups of the organization that are not deleted.
SELECT toString(group_id) AS group_id, name FROM group_names
WHERE organization_id = {organization_id:UUID} AND name != ''
ORDER BY name, group_id
