CREATE OR REPLACE VIEW invites_pending AS
SELECT day, toUInt64(total) AS invites
FROM (
    SELECT day, sum(sum(change)) OVER (ORDER BY day) AS total
    FROM (
        SELECT day, toInt64(at_end) - lagInFrame(toInt64(at_end)) OVER (
            PARTITION BY invite_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS change
        FROM (
            SELECT invite_id, day, argMax(pending, place) AS at_end FROM invite_changes
            WHERE organization_id = {organization_id:UUID} AND day <= {last:Date}
            GROUP BY invite_id, day
        )
        UNION ALL
        SELECT {first:Date} + number, 0 FROM numbers(toUInt64({last:Date} - {first:Date}) + 1)
    )
    GROUP BY day
)
WHERE day >= {first:Date};
