-- The minute cells that count (see spend_cells_current.sql). Every topic with activity feeds them, so each has its floor.
CREATE OR REPLACE VIEW minute_cells_current AS
WITH (
    SELECT mapFromArrays(groupArray(topic), groupArray(floor))
    FROM (SELECT toString(topic) AS topic, max(epoch) AS floor FROM topic_epochs FINAL WHERE mode = 'replace' GROUP BY topic)
) AS floors
SELECT * EXCEPT (source, log_offset), undated_model FROM minute_cells FINAL
WHERE epoch >= floors[extract(source, '^[^/]+')]
SETTINGS do_not_merge_across_partitions_select_final = 1;
