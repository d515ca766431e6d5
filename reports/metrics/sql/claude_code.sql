-- Claude Code from first to last: on each day that has any, and in total (whole = 1). People are those active in it.
SELECT
    grouping(day) AS whole, day,
    uniqExactIf(actor_id, actor_type = 'user' AND (tool_uses > 0 OR commits > 0 OR pull_requests > 0)),
    uniqExact(session_id) AS n_sessions, sum(lines_added) AS n_lines, sum(lines_removed), sum(commits) AS n_commits,
    sum(pull_requests) AS n_pull_requests,
    sum(edit_accepted), sum(edit_rejected), sum(multi_edit_accepted), sum(multi_edit_rejected),
    sum(write_accepted), sum(write_rejected), sum(notebook_edit_accepted), sum(notebook_edit_rejected)
FROM session_cells_current
WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
    AND product = 'claude_code'
GROUP BY GROUPING SETS ((day), ())
