-- The rows that an organization's results depend on now: one row per day and kind of cells, and day 0 for the rest.
-- `state` changes when any row is added, removed or replaced, since it includes a hash of every whole row.
-- `stamp` changes when a cell of the day is written, but not when parts are merged: a cell's stamp only grows.
-- Projections of the cell tables (sinks/schema/) answer this without reading a cell. A SELECT from each of them comes in
-- place of the first in this text (data_version.py).
WITH cells AS (
    {cells}
    UNION ALL
    SELECT 'directory', toDate(0), '', count(), sum(sipHash64(*)), 0 FROM directory
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id
    UNION ALL
    SELECT 'terms', toDate(0), source, count(), sum(sipHash64(*)), max(log_offset) FROM directory
    WHERE organization_id = {organization_id:UUID} AND type IN ('plan.changed', 'discount.changed', 'extra_usage.changed')
    GROUP BY source
    UNION ALL
    SELECT 'groups', toDate(0), source, count(), sum(sipHash64(*)), max(log_offset) FROM directory
    WHERE organization_id = {organization_id:UUID}
        AND type IN ('group.joined', 'group.left', 'group.deleted', 'member.removed', 'account.deleted')
    GROUP BY source
    UNION ALL
    SELECT 'saved', toDate(0), source, count(), sum(sipHash64(*)), max(log_offset) FROM directory
    WHERE organization_id = {organization_id:UUID} AND type IN ('connector.saved', 'skill.saved')
    GROUP BY source
    UNION ALL
    SELECT 'profiles', toDate(0), '', count(), sum(sipHash64(*)), 0 FROM profiles
    UNION ALL
    SELECT 'prices', toDate(0), '', count(), sum(sipHash64(*)), count() FROM price_lists
    UNION ALL
    SELECT 'models', toDate(0), '', count(), sum(sipHash64(*)), 0 FROM price_lists
    UNION ALL
    SELECT 'epochs', toDate(0), topic, count(), sum(sipHash64(*)), toUInt64(maxIf(epoch, mode = 'replace'))
    FROM topic_epochs GROUP BY topic
)
SELECT
    kind, day, hex(sipHash128(arraySort(groupArray((source, rows, hashes))))) AS state,
    hex(sipHash128(arraySort(groupArray((source, newest))))) AS stamp
FROM cells
GROUP BY kind, day
ORDER BY kind, day
