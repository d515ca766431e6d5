-- Seats that people held and invitations that were pending at the end of each day of [first, last].
SELECT held.day AS day, held.seats AS seats, pending.invites AS invites
FROM seats_held(organization_id = {organization_id:UUID}, first = {first:Date}, last = {last:Date}) AS held
INNER JOIN invites_pending(organization_id = {organization_id:UUID}, first = {first:Date}, last = {last:Date}) AS pending
    ON pending.day = held.day
ORDER BY day
