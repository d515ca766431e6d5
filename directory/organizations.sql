-- Every organization in the directory, with what is in force now.
WITH
    people AS (
        SELECT organization_id, countIf(membership = 'member.joined') AS members FROM memberships GROUP BY organization_id
    ),
    seats AS (
        SELECT organization_id, countIf(held) AS seats_assigned
        FROM (
            SELECT organization_id, account_id, argMax(seated, place) AS held
            FROM seat_changes GROUP BY organization_id, account_id
        )
        GROUP BY organization_id
    ),
    purchased AS (
        SELECT organization_id, JSONExtractUInt(detail, 'seats') AS seats_purchased
        FROM directory_objects WHERE type = 'seats.purchased'
    ),
    terms_now AS (
        SELECT
            organization_id, argMax(terms.plan, terms.in_force_from) AS plan,
            argMax(terms.discount, terms.in_force_from) AS discount,
            argMax(terms.extra_usage, terms.in_force_from) AS extra_usage
        FROM terms WHERE terms.in_force_from <= fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC')
        GROUP BY organization_id
    )
SELECT
    toString(known.organization_id) AS organization_id, organization_names.name AS name, terms_now.plan AS plan,
    terms_now.discount AS discount, toBool(terms_now.extra_usage) AS extra_usage, people.members AS members,
    seats.seats_assigned AS seats_assigned, purchased.seats_purchased AS seats_purchased
FROM (SELECT DISTINCT organization_id FROM directory_history) AS known
LEFT JOIN organization_names ON organization_names.organization_id = known.organization_id
LEFT JOIN people ON people.organization_id = known.organization_id
LEFT JOIN seats ON seats.organization_id = known.organization_id
LEFT JOIN purchased ON purchased.organization_id = known.organization_id
LEFT JOIN terms_now ON terms_now.organization_id = known.organization_id
ORDER BY name, organization_id
