-- What an organization's answers are made of, as it is now: a row a day for its cells, and one (kind '') for all else.
-- Each row of a table counts with a hash of all of it, so a row that comes, or gives way to a newer one, is told.
WITH cells AS (
    SELECT 'spend' AS kind, toDate(hour) AS day, count() AS rows, sum(sipHash64(*)) AS hashes FROM spend_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, toDate(hour)
    UNION ALL
    SELECT 'chat', day, count(), sum(sipHash64(*)) FROM chat_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day
    UNION ALL
    SELECT 'file', day, count(), sum(sipHash64(*)) FROM file_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day
    UNION ALL
    SELECT 'project', day, count(), sum(sipHash64(*)) FROM project_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day
    UNION ALL
    SELECT 'artifact', day, count(), sum(sipHash64(*)) FROM artifact_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day
    UNION ALL
    SELECT 'connector', day, count(), sum(sipHash64(*)) FROM connector_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day
    UNION ALL
    SELECT 'session', day, count(), sum(sipHash64(*)) FROM session_cells
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id, day
    UNION ALL
    SELECT 'directory', toDate(0), count(), sum(sipHash64(*)) FROM directory
    WHERE organization_id = {organization_id:UUID} GROUP BY organization_id
    UNION ALL
    SELECT 'profiles', toDate(0), count(), sum(sipHash64(*)) FROM profiles
    UNION ALL
    SELECT 'prices', toDate(0), count(), sum(sipHash64(*)) FROM prices
    UNION ALL
    SELECT 'models', toDate(0), count(), sum(sipHash64(*)) FROM models
    UNION ALL
    SELECT 'epochs', toDate(0), count(), sum(sipHash64(*)) FROM topic_epochs
)
SELECT day, hex(sipHash128(arraySort(groupArray((kind, rows, hashes))))) AS state
FROM cells
GROUP BY day
ORDER BY day
