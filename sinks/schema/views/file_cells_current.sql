-- The file cells that count (see spend_cells_current.sql).
CREATE OR REPLACE VIEW file_cells_current AS
SELECT * EXCEPT (source, log_offset) FROM file_cells FINAL
WHERE epoch >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.chat' AND mode = 'replace')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1;
