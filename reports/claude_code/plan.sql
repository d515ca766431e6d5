-- The plan in force at the end of the day; no row before the first plan.
SELECT argMax(plan, in_force_from) AS plan
FROM plans
WHERE organization_id = {organization_id:UUID} AND in_force_from < toDateTime64({day:Date} + 1, 6, 'UTC')
HAVING count() > 0
