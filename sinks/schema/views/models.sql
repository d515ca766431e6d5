CREATE OR REPLACE VIEW models AS
SELECT * EXCEPT (list) FROM listed_models FINAL WHERE list = (SELECT list FROM price_list_in_force);
