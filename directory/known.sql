-- The id of every organization in the directory, with its current name, empty if it has none.
SELECT toString(known.organization_id) AS organization_id, organization_names.name AS name
FROM (SELECT DISTINCT organization_id FROM directory_history) AS known
LEFT JOIN organization_names ON organization_names.organization_id = known.organization_id
ORDER BY name, organization_id
