-- The present state of what the directory saves by name: (name, event as JSON).
SELECT subject_id, argMax(detail, place)
FROM directory_changes
WHERE organization_id = {organization_id:UUID} AND type = {type:String}
GROUP BY subject_id
ORDER BY subject_id
