-- The current name of each group, '' once it is deleted.
CREATE OR REPLACE VIEW group_names AS
SELECT
    organization_id, toUUID(subject_id) AS group_id,
    argMax(if(type = 'group.saved', JSONExtractString(detail, 'name'), ''), place) AS name
FROM directory_changes WHERE type IN ('group.saved', 'group.deleted')
GROUP BY organization_id, group_id;
