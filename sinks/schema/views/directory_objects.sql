-- The present version of each object in the directory: of all events of a type about it, the last one.
CREATE OR REPLACE VIEW directory_objects AS
SELECT organization_id, type, subject_id, argMax(history.detail, history.place) AS detail
FROM directory_history AS history
GROUP BY organization_id, type, subject_id;
