-- The last state of these federated identities in the directory.
SELECT subject_id AS id, argMax(detail, place) AS detail
FROM directory_changes
WHERE organization_id = {organization_id:UUID} AND type = 'federated_identity.saved' AND has({identities:Array(String)}, subject_id)
GROUP BY subject_id
