-- Distinct projects that each person worked in from first to last, most first, and the number of people.
SELECT toString(actor_id) AS account_id, count() OVER () AS ranked, uniqExact(project_id) AS amount
FROM project_cells_current
WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
    AND actor_type = 'user' AND used > 0
GROUP BY actor_id
ORDER BY amount DESC, account_id
LIMIT {limit:UInt32}
