-- The current name of each machine that uses the workspace: API keys, service accounts, federated identities.
CREATE OR REPLACE VIEW machine_names AS
SELECT
    organization_id, toUUID(subject_id) AS actor_id,
    argMax(JSONExtractString(detail, if(type = 'federated_identity.saved', 'subject', 'name')), place) AS name
FROM directory_changes
WHERE type IN ('api_key.saved', 'service_account.saved', 'federated_identity.saved')
GROUP BY organization_id, actor_id;
