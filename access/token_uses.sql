-- The number of sessions created from a token, including concurrent attempts.
SELECT count() AS uses FROM token_uses WHERE token_sha256 = {token_sha256:String}
