-- How many people used tokens on each day, and in the 7 days that end with it. Days without usage have no row.
-- A person who was there on two days is one person, so the week is counted over its days and never summed.
WITH active AS (
    SELECT DISTINCT day, actor_id FROM spend
    WHERE organization_id = {organization:UUID} AND actor_type = 'user'
)
SELECT
    days.day AS day,
    uniqExactIf(active.actor_id, active.day = days.day) AS people,
    uniqExact(active.actor_id) AS people_in_7_days
FROM (SELECT DISTINCT day FROM active) AS days
CROSS JOIN active
WHERE active.day > days.day - 7 AND active.day <= days.day
GROUP BY days.day
ORDER BY days.day
