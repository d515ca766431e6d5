-- What tells whether any day of [first, last] was revised: the last offset that each source has in it, and which epochs
-- were replaced. A cell's stamp only grows, so equal answers mean equal cells.
SELECT hex(sipHash128(arraySort(groupArray((kind, source, newest))))) AS stamp
FROM (
    SELECT 'chat' AS kind, source, max(log_offset) AS newest FROM chat_cells
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} GROUP BY source
    UNION ALL
    SELECT 'file', source, max(log_offset) FROM file_cells
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} GROUP BY source
    UNION ALL
    SELECT 'project', source, max(log_offset) FROM project_cells
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} GROUP BY source
    UNION ALL
    SELECT 'artifact', source, max(log_offset) FROM artifact_cells
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} GROUP BY source
    UNION ALL
    SELECT 'extension', source, max(log_offset) FROM connector_cells
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} GROUP BY source
    UNION ALL
    SELECT 'session', source, max(log_offset) FROM session_cells
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date} GROUP BY source
    UNION ALL
    SELECT 'search', source, max(log_offset) FROM spend_cells
    WHERE organization_id = {organization_id:UUID} AND hour >= toDateTime({first:Date}, 'UTC')
        AND hour < toDateTime({last:Date} + 1, 'UTC') AND web_search_requests > 0
    GROUP BY source
    UNION ALL
    SELECT 'usage', source, max(log_offset) FROM spend_cells
    WHERE {priced:Bool} AND organization_id = {organization_id:UUID} AND hour >= toDateTime({first:Date}, 'UTC')
        AND hour < toDateTime({last:Date} + 1, 'UTC')
    GROUP BY source
    UNION ALL
    SELECT 'terms', source, max(log_offset) FROM directory
    WHERE {priced:Bool} AND organization_id = {organization_id:UUID}
        AND type IN ('plan.changed', 'discount.changed', 'extra_usage.changed')
    GROUP BY source
    UNION ALL
    SELECT 'prices', '', toUInt64(max(revision)) FROM prices WHERE {priced:Bool}
    UNION ALL
    SELECT 'epoch', topic, toUInt64(max(epoch)) FROM topic_epochs WHERE mode = 'replace' GROUP BY topic
)
