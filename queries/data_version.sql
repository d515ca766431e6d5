-- The rows that an organization's results depend on now: one row per day and kind of cells, and day 0 for the rest.
-- `state` changes when any row is added, removed or replaced, since it includes a hash of every whole row.
-- `stamp` changes when a cell of the day is written, but not when parts are merged: a cell's stamp only grows.
-- Projections of the cell tables (sinks/schema/) answer this without reading a cell.
WITH cells AS (
    SELECT 'spend' AS kind, toDate(hour) AS day, source, count() AS rows, sum(sipHash64(*)) AS hashes, max(log_offset) AS newest
    FROM spend_cells WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, toDate(hour), source
    UNION ALL
    SELECT 'chat', day, source, count(), sum(sipHash64(*)), max(log_offset) FROM chat_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day, source
    UNION ALL
    SELECT 'file', day, source, count(), sum(sipHash64(*)), max(log_offset) FROM file_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day, source
    UNION ALL
    SELECT 'project', day, source, count(), sum(sipHash64(*)), max(log_offset) FROM project_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day, source
    UNION ALL
    SELECT 'artifact', day, source, count(), sum(sipHash64(*)), max(log_offset) FROM artifact_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day, source
    UNION ALL
    SELECT 'connector', day, source, count(), sum(sipHash64(*)), max(log_offset) FROM connector_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day, source
    UNION ALL
    SELECT 'session', day, source, count(), sum(sipHash64(*)), max(log_offset) FROM session_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day, source
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
