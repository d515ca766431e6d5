-- The oldest secret holds, whoever wrote another meanwhile.
SELECT secret FROM api_cursor_secrets ORDER BY created_at, secret LIMIT 1
