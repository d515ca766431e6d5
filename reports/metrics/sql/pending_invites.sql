-- Invites that were pending at the end of each day of [first, last].
SELECT day, invites
FROM invites_pending(organization_id = {organization_id:UUID}, first = {first:Date}, last = {last:Date})
ORDER BY day
