-- The public interface: plain views for dashboards and other jobs. Cells are private. Sources of a replaced epoch
-- (topic_epochs, mode 'replace') are left out. Filters on organization and window reach the cells' primary key through
-- every view here; tests/integration/test_views.py checks the plans.

CREATE OR REPLACE VIEW prices_in_force AS
SELECT
    model, service_tier, context_window, inference_geo, speed,
    effective_from AS in_force_from,
    leadInFrame(toNullable(effective_from)) OVER (
        PARTITION BY model, service_tier, context_window, inference_geo, speed ORDER BY effective_from
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS in_force_until,
    uncached_input_token_usd, cache_read_input_token_usd, cache_creation_5m_input_token_usd,
    cache_creation_1h_input_token_usd, output_token_usd, web_search_request_usd, execution_millisecond_usd,
    origin
FROM prices;

-- The directory's settled history: of several changes of one thing at one instant, the last one applies.
CREATE OR REPLACE VIEW directory_changes AS
SELECT
    organization_id, type, subject_id, in_force_from, argMax(history.detail, history.place) AS detail,
    max(history.place) AS place
FROM directory_history AS history
GROUP BY organization_id, type, subject_id, in_force_from;

CREATE OR REPLACE VIEW organizations AS
SELECT
    organization_id, in_force_from,
    leadInFrame(toNullable(in_force_from)) OVER (
        PARTITION BY organization_id ORDER BY in_force_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS in_force_until,
    JSONExtractString(detail, 'name') AS name
FROM directory_changes WHERE type = 'organization.created';

-- The current name of each organization.
CREATE OR REPLACE VIEW organization_names AS
SELECT organization_id, argMax(JSONExtractString(detail, 'name'), place) AS name
FROM directory_changes WHERE type = 'organization.created'
GROUP BY organization_id;

CREATE OR REPLACE VIEW plans AS
SELECT
    organization_id, in_force_from,
    leadInFrame(toNullable(in_force_from)) OVER (
        PARTITION BY organization_id ORDER BY in_force_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS in_force_until,
    JSONExtractString(detail, 'plan') AS plan
FROM directory_changes WHERE type = 'plan.changed';

CREATE OR REPLACE VIEW discounts AS
SELECT
    organization_id, in_force_from,
    leadInFrame(toNullable(in_force_from)) OVER (
        PARTITION BY organization_id ORDER BY in_force_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS in_force_until,
    toDecimal64(JSONExtractString(detail, 'discount'), 6) AS discount
FROM directory_changes WHERE type = 'discount.changed';

CREATE OR REPLACE VIEW extra_usage AS
SELECT
    organization_id, in_force_from,
    leadInFrame(toNullable(in_force_from)) OVER (
        PARTITION BY organization_id ORDER BY in_force_from ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS in_force_until,
    JSONExtractBool(detail, 'enabled') AS enabled
FROM directory_changes WHERE type = 'extra_usage.changed';

-- The terms of an organization at every change: plan, discount and extra usage carried forward into one row, so that
-- spend needs one join. No discount: 0. No plan: '', which is not seat-based. No extra usage: off.
CREATE OR REPLACE VIEW terms AS
SELECT
    organization_id, in_force_from,
    ifNull(last_value(changed_plan) IGNORE NULLS OVER so_far, '') AS plan,
    plan IN ('team', 'enterprise_seat_based') AS seat_based,
    ifNull(last_value(changed_discount) IGNORE NULLS OVER so_far, toDecimal64(0, 6)) AS discount,
    ifNull(last_value(changed_extra_usage) IGNORE NULLS OVER so_far, false) AS extra_usage
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

-- Usage with its cost: one row per cell. list_usd and net_usd are exact and never rounded; NULL means that no price is
-- known. reported: whether a spend report counts it (usage-based: all of it; seat-based: extra usage, while that is
-- enabled).
CREATE OR REPLACE VIEW spend AS
SELECT
    cell.organization_id AS organization_id, cell.hour AS hour, toDate(cell.hour) AS day,
    cell.actor_type AS actor_type, cell.actor_id AS actor_id, cell.product AS product, cell.model AS model,
    cell.service_tier AS service_tier, cell.context_window AS context_window, cell.inference_geo AS inference_geo,
    cell.speed AS speed, cell.funding AS funding, cell.attribution_id AS attribution_id,
    cell.requests AS requests, cell.uncached_input_tokens AS uncached_input_tokens,
    cell.cache_read_input_tokens AS cache_read_input_tokens,
    cell.cache_creation_5m_input_tokens AS cache_creation_5m_input_tokens,
    cell.cache_creation_1h_input_tokens AS cache_creation_1h_input_tokens, cell.output_tokens AS output_tokens,
    cell.web_search_requests AS web_search_requests, cell.execution_spans AS execution_spans,
    cell.execution_milliseconds AS execution_milliseconds,
    terms.plan AS plan, terms.seat_based AS seat_based, terms.discount AS discount,
    terms.extra_usage AS extra_usage,
    NOT terms.seat_based OR (cell.funding = 'extra_usage' AND terms.extra_usage) AS reported,
    if(cell.model = '', toDecimal128(0, 18),
        cell.uncached_input_tokens * toDecimal128(price.uncached_input_token_usd, 18)
        + cell.cache_read_input_tokens * toDecimal128(price.cache_read_input_token_usd, 18)
        + cell.cache_creation_5m_input_tokens * toDecimal128(price.cache_creation_5m_input_token_usd, 18)
        + cell.cache_creation_1h_input_tokens * toDecimal128(price.cache_creation_1h_input_token_usd, 18)
        + cell.output_tokens * toDecimal128(price.output_token_usd, 18)) AS tokens_list_usd,
    if(cell.web_search_requests = 0, toDecimal128(0, 18),
        cell.web_search_requests * toDecimal128(tool.web_search_request_usd, 18)) AS web_search_list_usd,
    if(cell.execution_milliseconds = 0, toDecimal128(0, 18),
        cell.execution_milliseconds * tool.execution_millisecond_usd) AS execution_list_usd,
    tokens_list_usd + web_search_list_usd + execution_list_usd AS list_usd,
    toDecimal256(list_usd, 18) * (toDecimal64(1, 6) - terms.discount) AS net_usd
FROM (
    SELECT
        *, toDateTime64(hour, 6, 'UTC') AS instant, 1 AS tools,
        replaceRegexpOne(model, '-(20[0-9]{6}|latest)$', '') AS price_model,
        if(context_window = '', '0-200k', context_window) AS price_context_window,
        if(inference_geo = '', 'global', inference_geo) AS price_inference_geo,
        if(speed = '', 'standard', speed) AS price_speed
    FROM spend_cells FINAL
    WHERE toUInt32OrZero(splitByChar('@', source)[2])
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.token' AND mode = 'replace')
) AS cell
ASOF LEFT JOIN (SELECT * FROM prices WHERE model != '') AS price
    ON cell.price_model = price.model AND cell.service_tier = price.service_tier
    AND cell.price_context_window = price.context_window AND cell.price_inference_geo = price.inference_geo
    AND cell.price_speed = price.speed AND cell.hour >= price.effective_from
ASOF LEFT JOIN (SELECT *, 1 AS tools FROM prices WHERE model = '') AS tool
    ON cell.tools = tool.tools AND cell.hour >= tool.effective_from
ASOF LEFT JOIN terms ON cell.organization_id = terms.organization_id AND cell.instant >= terms.in_force_from
SETTINGS do_not_merge_across_partitions_select_final = 1, join_use_nulls = 0;

-- Activity of people per day and product, from all tables. Distinct things (conversations, sessions) are distinct
-- within the row's day: a sum over days counts a thing again on every day it was used.
CREATE OR REPLACE VIEW activity AS
SELECT
    organization_id, day, actor_type, actor_id, product,
    sum(n_conversations) AS conversations, sum(n_messages) AS messages, sum(n_thinking_messages) AS thinking_messages,
    sum(n_web_searches) AS web_searches, sum(n_files_uploaded) AS files_uploaded,
    sum(n_projects_created) AS projects_created, sum(n_projects_used) AS projects_used,
    sum(n_artifacts_created) AS artifacts_created, sum(n_connector_calls) AS connector_calls,
    sum(n_skill_uses) AS skill_uses, sum(n_plugin_uses) AS plugin_uses, sum(n_sessions) AS sessions,
    sum(n_session_messages) AS session_messages, sum(n_tool_uses) AS tool_uses, sum(n_lines_added) AS lines_added,
    sum(n_lines_removed) AS lines_removed, sum(n_commits) AS commits, sum(n_pull_requests) AS pull_requests
FROM (
    SELECT
        organization_id, day, actor_type, actor_id, product,
        uniqExactIf(conversation_id, messages > 0) AS n_conversations, sum(messages) AS n_messages,
        sum(thinking_messages) AS n_thinking_messages, sum(web_searches) AS n_web_searches, 0 AS n_files_uploaded,
        0 AS n_projects_created, 0 AS n_projects_used, 0 AS n_artifacts_created, 0 AS n_connector_calls, 0 AS n_skill_uses,
        0 AS n_plugin_uses, 0 AS n_sessions, 0 AS n_session_messages, 0 AS n_tool_uses, 0 AS n_lines_added, 0 AS n_lines_removed,
        0 AS n_commits, 0 AS n_pull_requests
    FROM chat_cells FINAL
    WHERE toUInt32OrZero(splitByChar('@', source)[2])
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.chat' AND mode = 'replace')
    GROUP BY organization_id, day, actor_type, actor_id, product
    UNION ALL
    SELECT
        organization_id, day, actor_type, actor_id, product, 0, 0, 0, 0, sum(uploads), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM file_cells FINAL
    WHERE toUInt32OrZero(splitByChar('@', source)[2])
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.chat' AND mode = 'replace')
    GROUP BY organization_id, day, actor_type, actor_id, product
    UNION ALL
    SELECT
        organization_id, day, actor_type, actor_id, product, 0, 0, 0, 0, 0,
        sum(created), uniqExactIf(project_id, used > 0), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM project_cells FINAL
    WHERE toUInt32OrZero(splitByChar('@', source)[2])
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.project' AND mode = 'replace')
    GROUP BY organization_id, day, actor_type, actor_id, product
    UNION ALL
    SELECT
        organization_id, day, actor_type, actor_id, product, 0, 0, 0, 0, 0, 0, 0, sum(created), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM artifact_cells FINAL
    WHERE toUInt32OrZero(splitByChar('@', source)[2])
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.artifact' AND mode = 'replace')
    GROUP BY organization_id, day, actor_type, actor_id, product
    UNION ALL
    SELECT
        organization_id, day, actor_type, actor_id, product, 0, 0, 0, 0, 0, 0, 0, 0,
        sumIf(uses, kind = 'connector'), sumIf(uses, kind = 'skill'), sumIf(uses, kind = 'plugin'),
        0, 0, 0, 0, 0, 0, 0
    FROM connector_cells FINAL
    WHERE toUInt32OrZero(splitByChar('@', source)[2])
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.connector' AND mode = 'replace')
    GROUP BY organization_id, day, actor_type, actor_id, product
    UNION ALL
    SELECT
        organization_id, day, actor_type, actor_id, product, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        uniqExact(session_id), sum(messages), sum(tool_uses), sum(lines_added), sum(lines_removed), sum(commits),
        sum(pull_requests)
    FROM session_cells FINAL
    WHERE toUInt32OrZero(splitByChar('@', source)[2])
        >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.session' AND mode = 'replace')
    GROUP BY organization_id, day, actor_type, actor_id, product
)
GROUP BY organization_id, day, actor_type, actor_id, product
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- People active on a UTC day (docs/metrics.md), and the kinds of their activity. The count of a trailing window is
-- uniqExact(account_id) over its days: distinct people are never summed.
CREATE OR REPLACE VIEW active_users AS
SELECT
    organization_id, day, account_id,
    max(in_chat) AS chat, max(in_claude_code) AS claude_code, max(in_cowork) AS cowork
FROM (
    SELECT organization_id, day, actor_id AS account_id, true AS in_chat, false AS in_claude_code, false AS in_cowork
    FROM chat_cells FINAL
    WHERE actor_type = 'user' AND messages > 0
        AND toUInt32OrZero(splitByChar('@', source)[2])
            >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.chat' AND mode = 'replace')
    UNION ALL
    SELECT organization_id, day, actor_id AS account_id, false, product = 'claude_code', product = 'cowork'
    FROM session_cells FINAL
    WHERE actor_type = 'user'
        AND ((product = 'claude_code' AND (tool_uses > 0 OR commits > 0 OR pull_requests > 0))
            OR (product = 'cowork' AND (tool_uses > 0 OR messages > 0)))
        AND toUInt32OrZero(splitByChar('@', source)[2])
            >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.session' AND mode = 'replace')
)
GROUP BY organization_id, day, account_id
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- Live counters by the minute of the event, for the last seven days.
CREATE OR REPLACE VIEW live AS
WITH (
    SELECT mapFromArrays(groupArray(topic), groupArray(floor))
    FROM (SELECT toString(topic) AS topic, max(epoch) AS floor FROM topic_epochs FINAL WHERE mode = 'replace' GROUP BY topic)
) AS floors
SELECT
    organization_id, minute, product, model, sum(events) AS events, sum(requests) AS requests,
    sum(uncached_input_tokens) AS uncached_input_tokens, sum(cache_read_input_tokens) AS cache_read_input_tokens,
    sum(cache_creation_5m_input_tokens) AS cache_creation_5m_input_tokens,
    sum(cache_creation_1h_input_tokens) AS cache_creation_1h_input_tokens, sum(output_tokens) AS output_tokens
FROM minute_cells FINAL
WHERE minute >= now('UTC') - INTERVAL 7 DAY
    AND toUInt32OrZero(splitByChar('@', source)[2]) >= floors[splitByChar('/', toString(source))[1]]
GROUP BY organization_id, minute, product, model
SETTINGS do_not_merge_across_partitions_select_final = 1;
