-- The spend cells that count: of each the newest version, and none of an epoch that `tally epoch --mode replace` replaced.
-- There is one such view for each table of cells. Only live and usage_by_day filter epochs themselves.
-- 
-- `extract` finds the epoch once for each different source, `splitByChar` for each cell, which took half of the time. With
-- optimize_move_to_prewhere_if_final a condition on a column of the sort key is applied before the other columns are read;
-- all versions of a cell have the same key, so FINAL still finds the newest.
CREATE OR REPLACE VIEW spend_cells_current AS
SELECT * EXCEPT (source, log_offset), undated_model, price_key FROM spend_cells FINAL
WHERE toUInt32OrZero(extract(source, '@(.*)'))
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1;
