-- Each person's counts in Claude Code from first to last, most {ranked_by} first, and the number of people with any.
SELECT
    toString(actor_id) AS account_id, count() OVER () AS ranked,
    multiIf({ranked_by:String} = 'sessions', n_sessions, {ranked_by:String} = 'lines_accepted', n_lines,
        {ranked_by:String} = 'commits', n_commits, n_pull_requests) AS amount,
    uniqExactIf(actor_id, tool_uses > 0 OR commits > 0 OR pull_requests > 0),
    uniqExact(session_id) AS n_sessions, sum(lines_added) AS n_lines, sum(lines_removed), sum(commits) AS n_commits,
    sum(pull_requests) AS n_pull_requests,
    sum(edit_accepted), sum(edit_rejected), sum(multi_edit_accepted), sum(multi_edit_rejected),
    sum(write_accepted), sum(write_rejected), sum(notebook_edit_accepted), sum(notebook_edit_rejected)
FROM session_cells_current
WHERE organization_id = {organization_id:UUID} AND day BETWEEN {first:Date} AND {last:Date}
    AND product = 'claude_code' AND actor_type = 'user'
GROUP BY actor_id
HAVING amount > 0
ORDER BY amount DESC, account_id
LIMIT {limit:UInt32}
