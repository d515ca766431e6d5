-- The profiles and tombstones that count (see spend_cells_current.sql).
CREATE OR REPLACE VIEW profiles_current AS
SELECT organization_id, account_id, email, name, forgotten, occurred_at, log_place FROM profiles FINAL
WHERE epoch >= (SELECT max(epoch) FROM topic_epochs FINAL WHERE topic = 'tally.profiles' AND mode = 'replace');
