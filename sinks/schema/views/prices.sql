CREATE OR REPLACE VIEW prices AS
SELECT * EXCEPT (list), price_key FROM listed_prices FINAL WHERE list = (SELECT list FROM price_list_in_force);
