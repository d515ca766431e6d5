-- How often a token became a session, or tried to at the same time.
SELECT count() AS uses FROM token_uses WHERE token_sha256 = {token_sha256:String}
