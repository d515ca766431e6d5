-- The state that changes when the day is revised: each source's last offset in it, the price list, the plans, and the
-- replaced epochs. A cell's stamp only grows, so equal results mean equal cells.
SELECT hex(sipHash128(arraySort(groupArray((kind, source, newest))))) AS stamp
FROM (
    SELECT 'session' AS kind, source, max(log_offset) AS newest FROM session_cells
    WHERE organization_id = {organization_id:UUID} AND day = {day:Date} GROUP BY source
    UNION ALL
    SELECT 'usage', source, max(log_offset) FROM spend_cells
    WHERE organization_id = {organization_id:UUID}
        AND hour >= toDateTime({day:Date}, 'UTC') AND hour < toDateTime({day:Date} + 1, 'UTC')
    GROUP BY source
    UNION ALL
    SELECT 'plan', source, max(log_offset) FROM directory
    WHERE organization_id = {organization_id:UUID} AND type = 'plan.changed' GROUP BY source
    UNION ALL
    SELECT 'prices', '', count() FROM price_lists
    UNION ALL
    SELECT 'epoch', topic, toUInt64(max(epoch)) FROM topic_epochs WHERE mode = 'replace' GROUP BY topic
)
