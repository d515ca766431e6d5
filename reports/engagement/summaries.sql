-- Distinct active people of each day of [first, last], by product ('' is any) and trailing window, in days.
-- A person counts on a day if the latest activity up to it is younger than the window. So each activity counts from
-- its day until the window's end or the next activity, and a running sum of beginnings and ends is the exact count.
WITH
    held AS (SELECT account_id, memberships FROM group_memberships WHERE organization_id = {organization_id:UUID}),
    active AS (
        SELECT account_id, day, product
        FROM (
            SELECT
                account_id, day,
                arrayJoin(arrayFilter(name -> name != '-', [
                    '', if(chat, 'chat', '-'), if(claude_code, 'claude_code', '-'), if(cowork, 'cowork', '-')
                ])) AS product
            FROM active_users
            WHERE organization_id = {organization_id:UUID} AND day > {first:Date} - 30 AND day <= {last:Date}
            UNION ALL
            SELECT DISTINCT actor_id, day, product FROM session_days
            WHERE organization_id = {organization_id:UUID} AND day > {first:Date} - 30 AND day <= {last:Date}
                AND actor_type = 'user' AND product IN ('office_agent', 'claude_design', 'science')
                AND (messages > 0 OR tool_uses > 0 OR delegations > 0 OR remote_jobs > 0)
        ) AS everybody
        LEFT JOIN held ON held.account_id = everybody.account_id
        WHERE empty({groups:Array(UUID)})
            OR arrayExists(m -> has({groups:Array(UUID)}, m.1) AND day BETWEEN m.2 AND m.3, held.memberships)
    ),
    lasting AS (
        SELECT
            product, day,
            leadInFrame(day, 1, toDate('2149-06-06')) OVER (
                PARTITION BY product, account_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS next_day
        FROM active
    ),
    steps AS (
        SELECT product, width, step.1 AS day, step.2 AS change
        FROM lasting
        ARRAY JOIN [1, 7, 30] AS width
        ARRAY JOIN [(lasting.day, 1), (least(lasting.next_day, lasting.day + width), -1)] AS step
        UNION ALL
        SELECT product, width, {first:Date} + number, 0
        FROM numbers(toUInt32({last:Date} - {first:Date} + 1))
        ARRAY JOIN ['', 'chat', 'claude_code', 'cowork', 'office_agent', 'claude_design', 'science'] AS product
        ARRAY JOIN [1, 7, 30] AS width
    )
SELECT day, product, width, toUInt64(people) AS people
FROM (
    SELECT
        day, product, width,
        sum(sum(change)) OVER (PARTITION BY product, width ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
            AS people
    FROM steps
    GROUP BY day, product, width
)
WHERE day BETWEEN {first:Date} AND {last:Date}
ORDER BY day, product, width
