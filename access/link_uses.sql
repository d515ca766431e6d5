-- How often a link was used, or tried to be at the same time.
SELECT count() AS uses FROM link_uses WHERE secret_sha256 = {secret_sha256:String}
