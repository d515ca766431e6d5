-- What the directory last said of these federated identities.
SELECT subject_id AS id, argMax(detail, place) AS detail
FROM directory_changes
WHERE organization_id = {organization_id:UUID} AND type = 'federated_identity.saved' AND has({identities:Array(String)}, subject_id)
GROUP BY subject_id
