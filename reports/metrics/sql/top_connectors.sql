-- Connectors called from first to last: the number of people and of calls, most people first, and the number of
-- connectors.
SELECT
    name, count() OVER () AS ranked, uniqExactIf(actor_id, actor_type = 'user') AS people, sum(uses) AS calls,
    sum(read_calls) AS reads, sum(write_calls) AS writes, sum(unclassified_calls) AS unclassified
FROM connector_cells_current
WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
    AND kind = 'connector' AND uses > 0
GROUP BY name
ORDER BY people DESC, calls DESC, name
LIMIT {limit:UInt32}
