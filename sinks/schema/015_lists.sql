-- The same cells, found faster. A source's epoch follows its `@`. splitByChar computed it for every cell, which was
-- half the time of reading one; extract computes it once per source. Conditions on columns of the sort key are
-- evaluated before other columns are read: all versions of a cell have the same key, so FINAL still finds the newest
-- (ClickHouse does not move conditions on other columns).

CREATE OR REPLACE VIEW chat_days AS
SELECT * EXCEPT (source, log_offset) FROM chat_cells FINAL
WHERE toUInt32OrZero(extract(source, '@(.*)'))
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.chat' AND mode = 'replace')
SETTINGS optimize_move_to_prewhere_if_final = 1;

CREATE OR REPLACE VIEW file_days AS
SELECT * EXCEPT (source, log_offset) FROM file_cells FINAL
WHERE toUInt32OrZero(extract(source, '@(.*)'))
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.chat' AND mode = 'replace')
SETTINGS optimize_move_to_prewhere_if_final = 1;

CREATE OR REPLACE VIEW project_days AS
SELECT * EXCEPT (source, log_offset) FROM project_cells FINAL
WHERE toUInt32OrZero(extract(source, '@(.*)'))
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.project' AND mode = 'replace')
SETTINGS optimize_move_to_prewhere_if_final = 1;

CREATE OR REPLACE VIEW artifact_days AS
SELECT * EXCEPT (source, log_offset) FROM artifact_cells FINAL
WHERE toUInt32OrZero(extract(source, '@(.*)'))
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.artifact' AND mode = 'replace')
SETTINGS optimize_move_to_prewhere_if_final = 1;

CREATE OR REPLACE VIEW extension_days AS
SELECT * EXCEPT (source, log_offset) FROM connector_cells FINAL
WHERE toUInt32OrZero(extract(source, '@(.*)'))
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.connector' AND mode = 'replace')
SETTINGS optimize_move_to_prewhere_if_final = 1;

CREATE OR REPLACE VIEW session_days AS
SELECT * EXCEPT (source, log_offset) FROM session_cells FINAL
WHERE toUInt32OrZero(extract(source, '@(.*)'))
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.session' AND mode = 'replace')
SETTINGS optimize_move_to_prewhere_if_final = 1;

CREATE OR REPLACE VIEW search_days AS
SELECT organization_id, toDate(hour) AS day, actor_type, actor_id, product, web_search_requests
FROM spend_cells FINAL
WHERE web_search_requests > 0 AND toUInt32OrZero(extract(source, '@(.*)'))
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace')
SETTINGS optimize_move_to_prewhere_if_final = 1;

CREATE OR REPLACE VIEW counted_chats AS SELECT * FROM chat_days
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW counted_projects AS SELECT * FROM project_days
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW counted_artifacts AS SELECT * FROM artifact_days
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW counted_connectors AS SELECT * FROM extension_days
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW counted_sessions AS SELECT * FROM session_days
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW counted_usage AS
SELECT * EXCEPT (source, log_offset) FROM spend_cells FINAL
WHERE toUInt32OrZero(extract(source, '@(.*)'))
    >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1;

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
    FROM group_memberships
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
