-- The prices of models' tokens, in force from an hour on.
CREATE OR REPLACE VIEW token_prices AS
SELECT * FROM prices WHERE model != '';
