-- The current name of each organization.
CREATE OR REPLACE VIEW organization_names AS
SELECT organization_id, JSONExtractString(detail, 'name') AS name
FROM directory_objects WHERE type = 'organization.created';
