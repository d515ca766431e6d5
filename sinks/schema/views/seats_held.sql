-- The number of people with a seat and the number of pending invites, at the end of each day of [first, last].
CREATE OR REPLACE VIEW seats_held AS
SELECT day, toUInt64(total) AS seats
FROM (
    SELECT day, sum(sum(change)) OVER (ORDER BY day) AS total
    FROM (
        SELECT day, toInt64(at_end) - lagInFrame(toInt64(at_end)) OVER (
            PARTITION BY account_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS change
        FROM (
            SELECT account_id, day, argMax(seated, place) AS at_end FROM seat_changes
            WHERE organization_id = {organization_id:UUID} AND day <= {last:Date}
            GROUP BY account_id, day
        )
        UNION ALL
        SELECT {first:Date} + number, 0 FROM numbers(toUInt64({last:Date} - {first:Date}) + 1)
    )
    GROUP BY day
)
WHERE day >= {first:Date};
