-- Seats that people held and invitations that were pending at the end of each day of [first, last].
-- A removed member and a deleted account hold no seat, whether or not the directory says that it was given back.
WITH
    changes AS (
        SELECT
            if(type LIKE 'invite.%', 'invite', 'seat') AS kind, subject_id, type IN ('seat.assigned', 'invite.sent') AS held,
            in_force_from, source, log_offset
        FROM directory FINAL
        WHERE organization_id = {organization_id:UUID}
            AND type IN ('seat.assigned', 'seat.unassigned', 'member.removed', 'account.deleted', 'invite.sent', 'invite.closed')
            AND toUInt32OrZero(splitByChar('@', source)[2])
                >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.directory' AND mode = 'replace')
    ),
    lasting AS (
        SELECT
            kind, held, toDate(in_force_from) AS day,
            toDate(leadInFrame(in_force_from, 1, toDateTime64('2149-06-05 00:00:00', 6, 'UTC')) OVER (
                PARTITION BY kind, subject_id ORDER BY in_force_from, source, log_offset
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            )) AS until
        FROM changes
    ),
    steps AS (
        SELECT kind, step.1 AS day, step.2 AS change
        FROM lasting ARRAY JOIN [(lasting.day, 1), (lasting.until, -1)] AS step
        WHERE held
        UNION ALL
        SELECT kind, {first:Date} + number, 0
        FROM numbers(toUInt32({last:Date} - {first:Date} + 1)) ARRAY JOIN ['seat', 'invite'] AS kind
    )
SELECT day, toUInt64(sumIf(things, kind = 'seat')) AS seats, toUInt64(sumIf(things, kind = 'invite')) AS invites
FROM (
    SELECT
        day, kind,
        sum(sum(change)) OVER (PARTITION BY kind ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS things
    FROM steps GROUP BY day, kind
)
WHERE day BETWEEN {first:Date} AND {last:Date}
GROUP BY day
ORDER BY day
