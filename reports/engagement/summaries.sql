-- Distinct active people of each day of [first, last], by product ('' is any) and trailing window, in days.
-- A person counts on a day if the latest activity up to it is younger than the window. So a person's days make runs
-- without a gap as long as the window: each run counts from its first day until the window after its last has passed,
-- and a running sum of beginnings and ends is the exact distinct count of every day. Days are numbers from 1970 on.
WITH
    held AS (
        SELECT account_id, arrayFilter(m -> has({groups:Array(UUID)}, m.1), memberships) AS spans
        FROM group_memberships
        WHERE organization_id = {organization_id:UUID} AND NOT {everyone:Bool}
    ),
    active AS (
        SELECT acts.account_id AS account_id, toInt32(acts.day) AS day, acts.product AS product
        FROM (
            SELECT actor_id AS account_id, day, 'chat' AS product FROM chat_days
            WHERE organization_id = {organization_id:UUID} AND day > {first:Date} - 30 AND day <= {last:Date}
                AND actor_type = 'user' AND messages > 0
            UNION ALL
            SELECT actor_id, day, toString(product) FROM session_days
            WHERE organization_id = {organization_id:UUID} AND day > {first:Date} - 30 AND day <= {last:Date}
                AND actor_type = 'user'
                AND multiIf(
                    product = 'claude_code', tool_uses > 0 OR commits > 0 OR pull_requests > 0,
                    product = 'cowork', tool_uses > 0 OR messages > 0,
                    product IN ('office_agent', 'claude_design', 'science')
                        AND (messages > 0 OR tool_uses > 0 OR delegations > 0 OR remote_jobs > 0))
        ) AS acts
        LEFT JOIN held ON held.account_id = acts.account_id
        WHERE {everyone:Bool} OR arrayExists(m -> acts.day BETWEEN m.2 AND m.3, held.spans)
    ),
    people AS (
        SELECT
            groupUniqArrayIf(day, product = 'chat') AS chat, groupUniqArrayIf(day, product = 'claude_code') AS code,
            groupUniqArrayIf(day, product = 'cowork') AS cowork, groupUniqArrayIf(day, product = 'office_agent') AS office,
            groupUniqArrayIf(day, product = 'claude_design') AS design, groupUniqArrayIf(day, product = 'science') AS science
        FROM active
        GROUP BY account_id
    ),
    lasting AS (
        SELECT
            product, arraySort(days) AS ordered, arrayPopFront(arrayDifference(ordered)) AS gaps,
            arrayConcat([9999], gaps) AS gaps_before, arrayConcat(gaps, [9999]) AS gaps_after
        FROM people
        ARRAY JOIN
            ['', 'chat', 'claude_code', 'cowork', 'office_agent', 'claude_design', 'science'] AS product,
            [arrayDistinct(arrayConcat(chat, code, cowork)), chat, code, cowork, office, design, science] AS days
        WHERE notEmpty(days)
    ),
    steps AS (
        SELECT product, width, step.1 AS at, step.2 AS change
        FROM lasting
        ARRAY JOIN [1, 7, 30] AS width
        ARRAY JOIN arrayConcat(
            arrayMap(day -> (day, 1), arrayFilter((day, gap) -> gap >= width, ordered, gaps_before)),
            arrayMap(day -> (day + width, -1), arrayFilter((day, gap) -> gap >= width, ordered, gaps_after))
        ) AS step
        UNION ALL
        SELECT product, width, toInt32({first:Date}) + number, 0
        FROM numbers(toUInt32({last:Date} - {first:Date} + 1))
        ARRAY JOIN ['', 'chat', 'claude_code', 'cowork', 'office_agent', 'claude_design', 'science'] AS product
        ARRAY JOIN [1, 7, 30] AS width
    )
SELECT toDate(at) AS day, product, width, toUInt64(people) AS people
FROM (
    SELECT
        at, product, width,
        sum(sum(change)) OVER (PARTITION BY product, width ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
            AS people
    FROM steps
    GROUP BY at, product, width
)
WHERE at BETWEEN toInt32({first:Date}) AND toInt32({last:Date})
ORDER BY at, product, width
