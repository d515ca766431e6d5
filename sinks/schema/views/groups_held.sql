-- Days of [first, last] on which a person was in one of `groups` (none: in any group): with by_group a row per group,
-- otherwise one row for all of them, with the nil id. A day of a person in a group is in only one row, so a person's
-- activity of a day joins one row for each group that counts it. Empty with `everyone`, when groups do not matter: then
-- the directory is not read.
CREATE OR REPLACE VIEW groups_held AS
SELECT account_id, held.1 AS group_id, held.2 AS since, held.3 AS until
FROM (
    SELECT
        account_id,
        arraySort(arrayMap(
            m -> (
                if({by_group:Bool}, m.1, toUUID('00000000-0000-0000-0000-000000000000')),
                greatest(m.2, {first:Date}), least(m.3, {last:Date})
            ),
            arrayFilter(
                m -> m.2 <= {last:Date} AND m.3 >= {first:Date}
                    AND (empty({groups:Array(UUID)}) OR has({groups:Array(UUID)}, m.1)),
                memberships
            )
        )) AS spans
    FROM group_days
    WHERE organization_id = {organization_id:UUID} AND NOT {everyone:Bool}
)
ARRAY JOIN arrayMap(
    (m, place) -> (
        m.1,
        arrayMax(arrayPushBack(arrayMap(b -> if(b.1 = m.1, b.3 + 1, m.2), arraySlice(spans, 1, place - 1)), m.2)),
        m.3
    ),
    spans, arrayEnumerate(spans)
) AS held
WHERE since <= until;
