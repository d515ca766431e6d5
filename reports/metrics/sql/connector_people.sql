-- The people who called a connector from first to last, in ascending order of their account ids.
SELECT DISTINCT toString(actor_id) AS account_id
FROM connector_cells_current
WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
    AND kind = 'connector' AND name = {connector:String} AND uses > 0 AND actor_type = 'user'
ORDER BY account_id
