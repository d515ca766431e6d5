-- Seats that people have, purchased seats and pending invites, at the end of each day of [first, last].
SELECT day, seats, purchased, invites
FROM seats_by_day(organization_id = {organization_id:UUID}, first = {first:Date}, last = {last:Date})
ORDER BY day
