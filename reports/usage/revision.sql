-- The state that changes when the usage of [begins, ends) is revised: each source's last offset in it, the replaced
-- epochs, and the terms; for costs also the prices, for groups their members, and with exclude_deleted the people who
-- have left. A cell's stamp only grows, so equal results mean equal cells.
SELECT hex(sipHash128(arraySort(groupArray((kind, source, newest))))) AS stamp
FROM (
    SELECT 'hours' AS kind, source, max(log_offset) AS newest FROM spend_cells
    WHERE organization_id = {organization_id:UUID} AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')}
        AND NOT {by_minute:Bool}
    GROUP BY source
    UNION ALL
    SELECT 'minutes', source, max(log_offset) FROM minute_cells
    WHERE organization_id = {organization_id:UUID} AND minute >= {begins:DateTime('UTC')} AND minute < {ends:DateTime('UTC')}
        AND {by_minute:Bool}
    GROUP BY source
    UNION ALL
    SELECT 'epoch', topic, toUInt64(max(epoch)) FROM topic_epochs WHERE mode = 'replace' GROUP BY topic
    UNION ALL
    SELECT 'terms', source, max(log_offset) FROM directory
    WHERE organization_id = {organization_id:UUID} AND type IN ('plan.changed', 'discount.changed', 'extra_usage.changed')
    GROUP BY source
    UNION ALL
    SELECT 'groups', source, max(log_offset) FROM directory
    WHERE organization_id = {organization_id:UUID} AND {grouped:Bool}
        AND type IN ('group.joined', 'group.left', 'group.deleted', 'member.removed', 'account.deleted')
    GROUP BY source
    UNION ALL
    SELECT 'left', '', sum(sipHash64(account_id)) FROM people_of(organization_id = {organization_id:UUID})
    WHERE has_left AND {exclude_deleted:Bool} AND account_id IN (
        SELECT actor_id FROM spend_cells
        WHERE organization_id = {organization_id:UUID} AND {exclude_deleted:Bool}
            AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')}
    )
    UNION ALL
    SELECT 'prices', '', count() FROM price_lists WHERE {priced:Bool}
)
