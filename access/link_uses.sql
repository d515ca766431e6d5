-- The number of uses of a link, including concurrent attempts.
SELECT count() AS uses FROM link_uses WHERE secret_sha256 = {secret_sha256:String}
