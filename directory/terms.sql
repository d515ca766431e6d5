-- Every change of what the organization pays for, in order; of several in one hour, the last one applies.
SELECT
    type, toUnixTimestamp64Micro(in_force_from) AS since_us,
    multiIf(
        type = 'plan.changed', JSONExtractString(detail, 'plan'),
        type = 'discount.changed', JSONExtractString(detail, 'discount'),
        type = 'seats.purchased', toString(JSONExtractUInt(detail, 'seats')),
        if(JSONExtractBool(detail, 'enabled'), 'on', 'off')
    ) AS value
FROM directory_changes
WHERE organization_id = {organization_id:UUID}
    AND type IN ('plan.changed', 'discount.changed', 'extra_usage.changed', 'seats.purchased')
ORDER BY in_force_from, place
