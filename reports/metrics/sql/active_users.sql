-- Distinct people in the windows of {widths} days that end on each day of [first, last].
-- A person's active days are bits of one number, bit 0 for `last`. Whoever has a bit in a window counts once for it.
-- There are 128 bits, so days and the widest window are at most so many together (reports/metrics/active.py).
SELECT {last:Date} - age AS day, width, people
FROM (
    SELECT
        width, range(toUInt64({last:Date} - {first:Date}) + 1) AS ages,
        sumForEach(
            arrayMap(
                age -> bitAnd(bitShiftRight(active_days, age), bitShiftLeft(toUInt128(1), width) - 1) != 0,
                range(toUInt64({last:Date} - {first:Date}) + 1)
            )
        ) AS counts
    FROM (
        SELECT account_id, groupBitOr(bitShiftLeft(toUInt128(1), {last:Date} - day)) AS active_days
        FROM active_in_products
        WHERE organization_id = {organization_id:UUID} AND has({products:Array(String)}, product)
            AND day > {first:Date} - arrayMax({widths:Array(UInt16)}) AND day <= {last:Date}
        GROUP BY account_id
    )
    ARRAY JOIN {widths:Array(UInt16)} AS width
    GROUP BY width
)
ARRAY JOIN ages AS age, counts AS people
