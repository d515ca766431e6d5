-- The present state of what the directory saves by name: (name, event as JSON).
SELECT subject_id, detail
FROM directory_objects
WHERE organization_id = {organization_id:UUID} AND type = {type:String}
ORDER BY subject_id
