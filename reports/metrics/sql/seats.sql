-- Seats as of the end of each day of [first, last]: how many people held one, and how many were purchased (NULL before
-- the directory first said).
WITH
    steps AS (
        SELECT day, toInt64(at_end) - lagInFrame(toInt64(at_end)) OVER (
            PARTITION BY account_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS change, NULL AS seats
        FROM (
            SELECT account_id, day, argMax(seated, place) AS at_end
            FROM seat_changes
            WHERE organization_id = {organization_id:UUID} AND day <= {last:Date}
            GROUP BY account_id, day
        )
        UNION ALL
        SELECT toDate(in_force_from), 0, argMax(JSONExtractUInt(detail, 'seats'), in_force_from)
        FROM directory_changes
        WHERE organization_id = {organization_id:UUID} AND type = 'seats.purchased'
            AND toDate(in_force_from) <= {last:Date}
        GROUP BY toDate(in_force_from)
        UNION ALL
        SELECT {first:Date} + number, 0, NULL FROM numbers(toUInt64({last:Date} - {first:Date}) + 1)
    )
SELECT day, assigned, purchased
FROM (
    SELECT
        day, sum(sum(change)) OVER so_far AS assigned, last_value(any(seats)) IGNORE NULLS OVER so_far AS purchased
    FROM steps GROUP BY day
    WINDOW so_far AS (ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
WHERE day >= {first:Date}
ORDER BY day
