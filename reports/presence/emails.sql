-- The e-mails of everyone who was ever active in the organization.
SELECT account_id, email
FROM people_of(organization_id = {organization_id:UUID})
WHERE email != '' AND account_id IN (
    SELECT actor_id FROM chat_cells WHERE organization_id = {organization_id:UUID}
    UNION DISTINCT SELECT actor_id FROM file_cells WHERE organization_id = {organization_id:UUID}
    UNION DISTINCT SELECT actor_id FROM project_cells WHERE organization_id = {organization_id:UUID}
    UNION DISTINCT SELECT actor_id FROM artifact_cells WHERE organization_id = {organization_id:UUID}
    UNION DISTINCT SELECT actor_id FROM connector_cells WHERE organization_id = {organization_id:UUID}
    UNION DISTINCT SELECT actor_id FROM session_cells WHERE organization_id = {organization_id:UUID}
    UNION DISTINCT SELECT actor_id FROM spend_cells WHERE organization_id = {organization_id:UUID}
)
