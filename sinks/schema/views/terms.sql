-- The terms of an organization at every change: plan, discount and extra usage carried forward into one row, so that
-- spend needs one join. No discount: 0. No plan: '', which is not seat-based. No extra usage: off.
--
-- `covered_by_seats` is the overage rule: the fundings that seats pay for, all other usage being spend. On a seat-based
-- plan these are all fundings, without extra usage while it is enabled; '' is the funding of live counters, which do not
-- keep it. Usage before the first plan has no row here, so no funding of it is covered, and it counts.
CREATE OR REPLACE VIEW terms AS
SELECT
    organization_id, in_force_from,
    ifNull(last_value(changed_plan) IGNORE NULLS OVER so_far, '') AS plan,
    plan IN ('team', 'enterprise_seat_based') AS seat_based,
    ifNull(last_value(changed_discount) IGNORE NULLS OVER so_far, toDecimal64(0, 6)) AS discount,
    ifNull(last_value(changed_extra_usage) IGNORE NULLS OVER so_far, false) AS extra_usage,
    multiIf(
        NOT seat_based, [],
        extra_usage, ['', 'seat_allotment', 'usage_based'],
        ['', 'seat_allotment', 'usage_based', 'extra_usage']
    ) AS covered_by_seats
FROM (
    SELECT
        organization_id, in_force_from,
        anyIf(toNullable(JSONExtractString(detail, 'plan')), type = 'plan.changed') AS changed_plan,
        anyIf(toDecimal64OrNull(JSONExtractString(detail, 'discount'), 6), type = 'discount.changed')
            AS changed_discount,
        anyIf(toNullable(JSONExtractBool(detail, 'enabled')), type = 'extra_usage.changed') AS changed_extra_usage
    FROM directory_changes
    WHERE type IN ('plan.changed', 'discount.changed', 'extra_usage.changed')
    GROUP BY organization_id, in_force_from
)
WINDOW so_far AS (
    PARTITION BY organization_id ORDER BY in_force_from ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
);
