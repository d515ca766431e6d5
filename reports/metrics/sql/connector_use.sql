-- The use of a connector from first to last: on each day, in each product (chat if the event has none), and in total.
SELECT
    multiIf(grouping(day) = 0, 'day', grouping(place) = 0, 'product', '') AS part, day, place,
    uniqExactIf(actor_id, actor_type = 'user') AS people, sum(uses) AS calls,
    sum(read_calls) AS reads, sum(write_calls) AS writes, sum(unclassified_calls) AS unclassified
FROM (
    SELECT *, if(product = '', 'chat', toString(product)) AS place FROM connector_cells_current
    WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
        AND kind = 'connector' AND name = {connector:String} AND uses > 0
)
GROUP BY GROUPING SETS ((day), (place), ())
ORDER BY part, day, calls DESC, place
