-- People by the week in which they were first active, and by the week in which they were active: weeks are of 7 days,
-- counted back from 0, which ends with last. Weeks that began before first are left out, and so is who began in them.
SELECT joined, week, count()
FROM (
    SELECT max(age) AS joined, groupUniqArray(age) AS weeks
    FROM (
        SELECT account_id, intDiv({last:Date} - day, 7) AS age
        FROM active_in_products
        WHERE organization_id = {organization_id:UUID} AND day <= {last:Date} AND has({products:Array(String)}, product)
    )
    GROUP BY account_id
    HAVING joined < intDiv({last:Date} - {first:Date} + 1, 7)
)
ARRAY JOIN weeks AS week
GROUP BY joined, week
