CREATE OR REPLACE VIEW prices AS
SELECT * EXCEPT (list) FROM listed_prices FINAL WHERE list = (SELECT list FROM price_list_in_force);
