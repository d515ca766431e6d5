-- For each organization, day and source: the offset of the last event in its usage. It reads the projection `states`, not
-- cells, and needs no FINAL: of two versions of a cell the newer one has the greater offset.
CREATE OR REPLACE VIEW spend_offsets AS
SELECT organization_id, toDate(hour) AS day, source, max(log_offset) AS newest_offset FROM spend_cells
WHERE epoch >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace')
GROUP BY organization_id, toDate(hour), source;
