-- The oldest secret applies, even if another process has written one meanwhile.
SELECT secret FROM api_cursor_secrets ORDER BY created_at, secret LIMIT 1
