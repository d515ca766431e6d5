-- People by the week in which they were first active, and by the week in which they were active: weeks are of 7 days,
-- counted back from 0, which ends with last. Who began before the week of first is left out. A person's weeks are bits
-- of one number, of which there are 128; all that is older shares the last, and can only tell that somebody is left out.
SELECT joined, week, count()
FROM (
    SELECT max(age) AS joined, groupBitOr(bitShiftLeft(toUInt128(1), age)) AS active_weeks
    FROM (
        SELECT account_id, least(intDiv({last:Date} - day, 7), 127) AS age
        FROM active_in_products
        WHERE organization_id = {organization_id:UUID} AND day <= {last:Date} AND has({products:Array(String)}, product)
    )
    GROUP BY account_id
    HAVING joined < intDiv({last:Date} - {first:Date} + 1, 7)
)
ARRAY JOIN range(toUInt64(joined) + 1) AS week
WHERE bitAnd(bitShiftRight(active_weeks, week), 1) = 1
GROUP BY joined, week
