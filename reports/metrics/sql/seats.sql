-- Seats at the end of each day of [first, last]: assigned to people, and purchased (NULL before the directory has the
-- number).
SELECT held.day, held.seats, bought.seats
FROM (
    SELECT *, 1 AS one FROM seats_held(organization_id = {organization_id:UUID}, first = {first:Date}, last = {last:Date})
) AS held
ASOF LEFT JOIN (
    SELECT toDate(in_force_from) AS day, toNullable(argMax(JSONExtractUInt(detail, 'seats'), place)) AS seats, 1 AS one
    FROM directory_changes
    WHERE organization_id = {organization_id:UUID} AND type = 'seats.purchased'
    GROUP BY day
) AS bought ON bought.one = held.one AND held.day >= bought.day
ORDER BY held.day
