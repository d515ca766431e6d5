-- The directory's events, each once, at its first place, however often and wherever it was repeated. `place` is the
-- order of all changes: by when they take effect, then by when they happened, then by the log.
CREATE OR REPLACE VIEW directory_history AS
SELECT
    organization_id, type, subject_id, in_force_from, argMin(row.detail, row.log_place) AS detail,
    (in_force_from, argMin(row.occurred_at, row.log_place), min(row.log_place)) AS place
FROM (
    SELECT organization_id, type, subject_id, in_force_from, event_id, detail, occurred_at, log_place FROM directory FINAL
    WHERE epoch >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.directory' AND mode = 'replace')
) AS row
GROUP BY organization_id, type, subject_id, in_force_from, event_id;
