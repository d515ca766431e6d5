-- An organization's usage in [begins, ends) by everything that its cost depends on: one row a day, `moment` being its
-- midnight, or one row an hour for a day that cannot be taken as a whole, which is a day
-- - of which only some hours are in the range,
-- - within which a price or the terms change, or
-- - whose cells are in several parts, so that a newer version of a cell may be in another part and FINAL is needed.
-- These days are listed before the cells are read. If a day gets a second part in between, throwIf fails the query, and
-- the caller repeats it (queries/sql_files.py). Without `asked` nothing is read. Days are compared as numbers, because
-- ClickHouse would turn a comparison of dates into one of hours, which the projection does not have.
CREATE OR REPLACE VIEW usage_by_day AS
WITH
    toUInt16(toDate({begins:DateTime('UTC')})) AS first_day, toUInt16(toDate({ends:DateTime('UTC')})) AS last_day,
    (
        SELECT groupUniqArray(toDate(day)) FROM (
            SELECT day FROM (
                SELECT toDate(hour) AS day, _part FROM spend_cells
                WHERE organization_id = {organization_id:UUID} AND {asked:Bool}
                    AND toUInt16(toDate(hour)) >= first_day AND toUInt16(toDate(hour)) <= last_day
                GROUP BY toDate(hour), _part
            )
            GROUP BY day
            HAVING count() > 1
            UNION ALL
            SELECT toDate(arrayJoin([{begins:DateTime('UTC')}, {ends:DateTime('UTC')}]) AS moment)
            WHERE moment != toStartOfDay(moment)
            UNION ALL
            SELECT toDate(effective_from) FROM prices WHERE effective_from != toStartOfDay(effective_from)
            UNION ALL
            SELECT toDate(in_force_from) FROM terms
            WHERE organization_id = {organization_id:UUID} AND {asked:Bool}
                AND in_force_from != toDateTime64(toStartOfDay(in_force_from), 6, 'UTC')
        )
    ) AS apart
SELECT
    toDateTime(day, 'UTC') AS moment, * EXCEPT (day, parts, is_whole)
FROM (
    SELECT
        toDate(hour) AS day, actor_type, product, model, inference_geo, price_key, funding,
        sum(spend_cells.requests) AS requests,
        sum(spend_cells.uncached_input_tokens) AS uncached_input_tokens,
        sum(spend_cells.cache_read_input_tokens) AS cache_read_input_tokens,
        sum(spend_cells.cache_creation_5m_input_tokens) AS cache_creation_5m_input_tokens,
        sum(spend_cells.cache_creation_1h_input_tokens) AS cache_creation_1h_input_tokens,
        sum(spend_cells.output_tokens) AS output_tokens, sum(spend_cells.web_search_requests) AS web_search_requests,
        sum(spend_cells.execution_spans) AS execution_spans,
        sum(spend_cells.execution_milliseconds) AS execution_milliseconds,
        uniqExact(_part) OVER (PARTITION BY toDate(hour)) AS parts,
        throwIf(parts > 1, 'A day came into a second part while its usage was read: ask again') = 0 AS is_whole
    FROM spend_cells
    WHERE organization_id = {organization_id:UUID} AND {asked:Bool}
        AND toUInt16(toDate(hour)) >= first_day AND toUInt16(toDate(hour)) < last_day AND NOT has(apart, toDate(hour))
        AND epoch >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace')
    GROUP BY
        toDate(hour), _part, actor_type, product, model, inference_geo, price_key, funding,
        spend_cells.web_search_requests > 0, spend_cells.execution_milliseconds > 0
)
WHERE is_whole
UNION ALL
SELECT
    hour, actor_type, product, model, inference_geo, price_key, funding,
    sum(cell.requests), sum(cell.uncached_input_tokens), sum(cell.cache_read_input_tokens),
    sum(cell.cache_creation_5m_input_tokens), sum(cell.cache_creation_1h_input_tokens), sum(cell.output_tokens),
    sum(cell.web_search_requests), sum(cell.execution_spans), sum(cell.execution_milliseconds)
FROM spend_cells_current AS cell
WHERE organization_id = {organization_id:UUID} AND {asked:Bool}
    AND hour >= {begins:DateTime('UTC')} AND hour < {ends:DateTime('UTC')} AND has(apart, toDate(hour))
GROUP BY
    hour, actor_type, product, model, inference_geo, price_key, funding,
    cell.web_search_requests > 0, cell.execution_milliseconds > 0
SETTINGS do_not_merge_across_partitions_select_final = 1;
