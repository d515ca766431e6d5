-- 1 if the organization was on a seat-based plan at any moment of [begins, ends).
SELECT max(seat_based) AS seated
FROM (
    SELECT
        in_force_from, seat_based,
        leadInFrame(in_force_from, 1, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')) OVER (
            ORDER BY in_force_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS in_force_until
    FROM terms WHERE organization_id = {organization_id:UUID}
)
WHERE in_force_from < {ends:DateTime('UTC')} AND in_force_until > {begins:DateTime('UTC')}
