-- Seats and invites at the end of each day of [first, last]: `seats` that people have, `purchased` seats (NULL before the
-- directory has the number), and `invites` that are pending. The last change of a day decides what is held at its end.
CREATE OR REPLACE VIEW seats_by_day AS
WITH
    changes AS (
        SELECT 'seat' AS kind, account_id AS holder, seated AS is_held, day, place FROM seat_changes
        WHERE organization_id = {organization_id:UUID} AND day <= {last:Date}
        UNION ALL
        SELECT 'invite', invite_id, pending, day, place FROM invite_changes
        WHERE organization_id = {organization_id:UUID} AND day <= {last:Date}
    ),
    steps AS (
        SELECT kind, day, toInt64(at_end) - lagInFrame(toInt64(at_end)) OVER (
            PARTITION BY kind, holder ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS step
        FROM (SELECT kind, holder, day, argMax(is_held, place) AS at_end FROM changes GROUP BY kind, holder, day)
        UNION ALL
        SELECT '', {first:Date} + number, 0 FROM numbers(toUInt64({last:Date} - {first:Date}) + 1)
    ),
    held AS (
        SELECT
            day, sum(sumIf(step, kind = 'seat')) OVER (ORDER BY day) AS seats,
            sum(sumIf(step, kind = 'invite')) OVER (ORDER BY day) AS invites, 1 AS one
        FROM steps GROUP BY day
    ),
    bought AS (
        SELECT toDate(in_force_from) AS day, toNullable(argMax(JSONExtractUInt(detail, 'seats'), place)) AS seats, 1 AS one
        FROM directory_changes
        WHERE organization_id = {organization_id:UUID} AND type = 'seats.purchased'
        GROUP BY day
    )
SELECT
    held.day AS day, toUInt64(held.seats) AS seats, bought.seats AS purchased, toUInt64(held.invites) AS invites
FROM held ASOF LEFT JOIN bought ON bought.one = held.one AND held.day >= bought.day
WHERE held.day >= {first:Date};
