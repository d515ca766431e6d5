-- Claude Code on one day: one row per actor, terminal, and remote or local. Sessions contain the activity, requests
-- the usage of models; costs are text at list price, '' if a price is unknown.
WITH
    done AS (
        SELECT
            actor_type, actor_id, terminal, is_remote > 0 AS remote,
            map(
                'num_sessions', uniqExact(session_id),
                'lines_of_code.added', sum(lines_added),
                'lines_of_code.removed', sum(lines_removed),
                'commits_by_claude_code', sum(commits),
                'pull_requests_by_claude_code', sum(pull_requests),
                'edit_tool.accepted', sum(edit_accepted), 'edit_tool.rejected', sum(edit_rejected),
                'multi_edit_tool.accepted', sum(multi_edit_accepted), 'multi_edit_tool.rejected', sum(multi_edit_rejected),
                'write_tool.accepted', sum(write_accepted), 'write_tool.rejected', sum(write_rejected),
                'notebook_edit_tool.accepted', sum(notebook_edit_accepted),
                'notebook_edit_tool.rejected', sum(notebook_edit_rejected)
            ) AS counts
        FROM session_cells_current
        WHERE organization_id = {organization_id:UUID} AND day = {day:Date} AND product = 'claude_code'
        GROUP BY actor_type, actor_id, terminal, remote
    ),
    used AS (
        SELECT
            spend.actor_type AS actor_type, spend.actor_id AS actor_id, places.terminal AS terminal,
            ifNull(places.is_remote, 0) > 0 AS remote, spend.model AS model,
            sum(uncached_input_tokens) AS input, sum(output_tokens) AS output, sum(cache_read_input_tokens) AS cache_read,
            sum(cache_creation_5m_input_tokens + cache_creation_1h_input_tokens) AS cache_creation,
            if(countIf(isNull(list_usd)) = 0, toString(sum(list_usd)), '') AS usd
        FROM spend
        LEFT JOIN (
            SELECT attribution_id, terminal, is_remote FROM attributions FINAL
            WHERE attribution_id IN (
                SELECT attribution_id FROM spend_cells
                WHERE organization_id = {organization_id:UUID}
                    AND hour >= toDateTime({day:Date}, 'UTC') AND hour < toDateTime({day:Date} + 1, 'UTC')
            )
        ) AS places ON places.attribution_id = spend.attribution_id
        WHERE organization_id = {organization_id:UUID} AND product = 'claude_code' AND model != ''
            AND hour >= toDateTime({day:Date}, 'UTC') AND hour < toDateTime({day:Date} + 1, 'UTC')
        GROUP BY actor_type, actor_id, terminal, remote, model
    ),
    placed AS (
        SELECT
            toString(actor_type) AS actor_type, actor_id, toString(terminal) AS terminal, remote,
            concat(actor_type, '\x1f', toString(actor_id), '\x1f', terminal, '\x1f', toString(remote)) AS key,
            sumMap(counts) AS counts, arraySort(groupArrayArray(models)) AS models
        FROM (
            SELECT
                actor_type, actor_id, terminal, remote, counts,
                CAST([], 'Array(Tuple(String, UInt64, UInt64, UInt64, UInt64, String))') AS models
            FROM done
            UNION ALL
            SELECT
                actor_type, actor_id, terminal, remote, CAST(map(), 'Map(String, UInt64)'),
                groupArray((toString(model), input, output, cache_read, cache_creation, usd))
            FROM used
            GROUP BY actor_type, actor_id, terminal, remote
        )
        GROUP BY actor_type, actor_id, terminal, remote
        HAVING key > {after_key:String}
        ORDER BY key
        LIMIT {limit:UInt32}
    )
SELECT
    placed.key AS key, placed.actor_type AS actor_type, toString(placed.actor_id) AS actor_id, placed.terminal AS terminal,
    placed.remote AS remote, placed.counts AS counts, placed.models AS models, people.email AS email, names.name AS name
FROM placed
LEFT JOIN people_of(organization_id = {organization_id:UUID}) AS people ON people.account_id = placed.actor_id
LEFT JOIN (SELECT actor_id, name FROM machine_names WHERE organization_id = {organization_id:UUID}) AS names
    ON names.actor_id = placed.actor_id
ORDER BY key
