-- Rows of usage reports that a walk is pinned to: its range passes the present, so that what its pages are cut from would
-- change under it. Ids and numbers alone; names are looked up when a page is shown.
CREATE TABLE IF NOT EXISTS usage_walks (
    walk_id String, place UInt32, row String COMMENT 'as JSON', begun_at DateTime('UTC') DEFAULT now('UTC')
) ENGINE = MergeTree
ORDER BY (walk_id, place)
TTL begun_at + INTERVAL 1 DAY;
