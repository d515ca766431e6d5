CREATE OR REPLACE VIEW plans AS
SELECT
    organization_id, in_force_from,
    leadInFrame(toNullable(in_force_from)) OVER (
        PARTITION BY organization_id ORDER BY in_force_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS in_force_until,
    JSONExtractString(detail, 'plan') AS plan
FROM directory_changes WHERE type = 'plan.changed';
