-- Distinct people in the windows of {widths} days that end on each day of [first, last].
-- A person's active days are cut into stretches in which a window still sees one of them and which do not overlap: on
-- any day a person is in one stretch or in none, so adding up beginnings and ends counts everybody once.
WITH
    actives AS (
        SELECT account_id, arraySort(groupUniqArray(toInt32(day))) AS days
        FROM active_in_products
        WHERE organization_id = {organization_id:UUID} AND has({products:Array(String)}, product)
            AND day > {first:Date} - arrayMax({widths:Array(UInt16)}) AND day <= {last:Date}
        GROUP BY account_id
    ),
    stretches AS (
        SELECT width, begins, least(begins + width, following) AS ends
        FROM (
            SELECT days, arrayPushBack(arrayPopFront(days), toInt32({last:Date}) + 1) AS followings, width
            FROM actives ARRAY JOIN {widths:Array(UInt16)} AS width
        )
        ARRAY JOIN days AS begins, followings AS following
    ),
    steps AS (
        SELECT width, begins AS at, 1 AS change FROM stretches
        UNION ALL
        SELECT width, ends, -1 FROM stretches
        UNION ALL
        SELECT width, toInt32({first:Date}) + number, 0
        FROM numbers(toUInt64({last:Date} - {first:Date}) + 1) ARRAY JOIN {widths:Array(UInt16)} AS width
    )
SELECT toDate(at) AS day, width, people
FROM (
    SELECT at, width, sum(sum(change)) OVER (PARTITION BY width ORDER BY at) AS people
    FROM steps GROUP BY at, width
)
WHERE at BETWEEN toInt32({first:Date}) AND toInt32({last:Date})
ORDER BY day, width
