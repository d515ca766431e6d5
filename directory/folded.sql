-- The number of the events of one change that are folded: all of them happened at the same instant.
SELECT uniqExact(event_id) AS events
FROM (
    SELECT event_id FROM directory
    WHERE organization_id = {organization_id:UUID} AND occurred_at = fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
    UNION ALL
    SELECT event_id FROM profiles
    WHERE organization_id = {organization_id:UUID} AND occurred_at = fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
)
