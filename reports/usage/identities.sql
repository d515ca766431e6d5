-- The last state of these federated identities in the directory.
SELECT subject_id AS id, detail
FROM directory_objects
WHERE organization_id = {organization_id:UUID} AND type = 'federated_identity.saved' AND has({identities:Array(String)}, subject_id)
