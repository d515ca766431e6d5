-- Connectors that were called from first to last: by how many people, how often, the most people first, and how many
-- connectors there are. A display name is the directory's for the connector's key, its present one.
SELECT
    used.name, shown.display_name, used.ranked, used.people, used.calls, used.reads, used.writes, used.unclassified
FROM (
    SELECT
        name, count() OVER () AS ranked, uniqExactIf(actor_id, actor_type = 'user') AS people, sum(uses) AS calls,
        sum(read_calls) AS reads, sum(write_calls) AS writes, sum(unclassified_calls) AS unclassified
    FROM counted_connectors
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND kind = 'connector' AND uses > 0
    GROUP BY name
    ORDER BY people DESC, calls DESC, name
    LIMIT {limit:UInt32}
) AS used
LEFT JOIN (
    SELECT subject_id AS name, argMax(JSONExtractString(detail, 'display_name'), in_force_from) AS display_name
    FROM directory_changes
    WHERE organization_id = {organization_id:UUID} AND type = 'connector.saved'
    GROUP BY subject_id
) AS shown ON shown.name = used.name
ORDER BY used.people DESC, used.calls DESC, used.name
