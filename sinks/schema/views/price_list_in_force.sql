-- The list in force. Everything that reads a price or a model's name reads these three views.
CREATE OR REPLACE VIEW price_list_in_force AS
SELECT * FROM price_lists ORDER BY revision DESC, loaded_at DESC, list LIMIT 1;
