-- The directory's settled history: of several changes of one thing at one instant, the last one applies.
CREATE OR REPLACE VIEW directory_changes AS
SELECT
    organization_id, type, subject_id, in_force_from, argMax(history.detail, history.place) AS detail,
    max(history.place) AS place
FROM directory_history AS history
GROUP BY organization_id, type, subject_id, in_force_from;
