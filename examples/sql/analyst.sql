-- A user of ClickHouse who reads Tally's views and nothing else. Run it as an administrator, with your own password; here
-- `tally` is the user and the database of workers, API and exporter (`clickhouse_user`, `clickhouse_database`).
--
-- Tally's own views run with the rights of the caller, who would have to read their tables, too: keys and the audit log
-- are in the same database. The views below run with the rights of `tally`, so the analyst needs no right on a table.

CREATE DATABASE IF NOT EXISTS analyst;

CREATE OR REPLACE VIEW analyst.spend DEFINER = tally SQL SECURITY DEFINER AS SELECT * FROM tally.spend;
CREATE OR REPLACE VIEW analyst.people DEFINER = tally SQL SECURITY DEFINER AS SELECT * FROM tally.people;

CREATE USER IF NOT EXISTS analyst IDENTIFIED WITH sha256_password BY 'a password of your own' SETTINGS readonly = 1;
GRANT SELECT ON analyst.* TO analyst;
