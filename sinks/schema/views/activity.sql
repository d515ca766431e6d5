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
    FROM chat_cells_current
    GROUP BY organization_id, day, actor_type, actor_id, product
    UNION ALL
    SELECT
        organization_id, day, actor_type, actor_id, product, 0, 0, 0, 0, sum(uploads), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM file_cells_current
    GROUP BY organization_id, day, actor_type, actor_id, product
    UNION ALL
    SELECT
        organization_id, day, actor_type, actor_id, product, 0, 0, 0, 0, 0,
        sum(created), uniqExactIf(project_id, used > 0), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM project_cells_current
    GROUP BY organization_id, day, actor_type, actor_id, product
    UNION ALL
    SELECT
        organization_id, day, actor_type, actor_id, product, 0, 0, 0, 0, 0, 0, 0, sum(created), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM artifact_cells_current
    GROUP BY organization_id, day, actor_type, actor_id, product
    UNION ALL
    SELECT
        organization_id, day, actor_type, actor_id, product, 0, 0, 0, 0, 0, 0, 0, 0,
        sumIf(uses, kind = 'connector'), sumIf(uses, kind = 'skill'), sumIf(uses, kind = 'plugin'),
        0, 0, 0, 0, 0, 0, 0
    FROM connector_cells_current
    GROUP BY organization_id, day, actor_type, actor_id, product
    UNION ALL
    SELECT
        organization_id, day, actor_type, actor_id, product, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        uniqExact(session_id), sum(messages), sum(tool_uses), sum(lines_added), sum(lines_removed), sum(commits),
        sum(pull_requests)
    FROM session_cells_current
    GROUP BY organization_id, day, actor_type, actor_id, product
)
GROUP BY organization_id, day, actor_type, actor_id, product;
