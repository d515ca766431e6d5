-- People of the window from first to last beside the window of as many days before it: who is new (never active
-- before), returning (active in both), resurrected (active before, but not in the window before), and dormant.
SELECT
    countIf(now AND NOT earlier AND NOT before), countIf(now AND before), countIf(now AND earlier AND NOT before),
    countIf(before AND NOT now)
FROM (
    SELECT
        max(day >= {first:Date}) AS now,
        max(day < {first:Date} AND day >= {first:Date} - ({last:Date} - {first:Date} + 1)) AS before,
        max(day < {first:Date} - ({last:Date} - {first:Date} + 1)) AS earlier
    FROM active_in_products
    WHERE organization_id = {organization_id:UUID} AND day <= {last:Date} AND has({products:Array(String)}, product)
    GROUP BY account_id
)
