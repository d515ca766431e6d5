-- The spend cells that count: of each the newest version, and none of an epoch that `tally epoch --mode replace` replaced.
-- There is one such view for each table of cells, and one for profiles; of the directory it is directory_history. Apart from
-- these only usage_by_day and spend_offsets leave epochs out, because they read projections of spend_cells.
--
-- With optimize_move_to_prewhere_if_final a condition on a column of the sort key is applied before the other columns are
-- read; all versions of a cell have the same key, so FINAL still finds the newest.
CREATE OR REPLACE VIEW spend_cells_current AS
SELECT * EXCEPT (source, log_offset), price_key FROM spend_cells FINAL
WHERE epoch >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1;
