-- What the organization is called now.
SELECT name FROM organization_names WHERE organization_id = {organization_id:UUID}
