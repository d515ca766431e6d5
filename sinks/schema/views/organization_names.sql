-- The current name of each organization.
CREATE OR REPLACE VIEW organization_names AS
SELECT organization_id, argMax(JSONExtractString(detail, 'name'), place) AS name
FROM directory_changes WHERE type = 'organization.created'
GROUP BY organization_id;
