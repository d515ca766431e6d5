-- The organization's current name.
SELECT name FROM organization_names WHERE organization_id = {organization_id:UUID}
