-- Rows of usage reports to which a walk is pinned: its range extends past the present, so the data behind its pages
-- would change. Only ids and numbers; names are looked up when a page is returned.
CREATE TABLE IF NOT EXISTS usage_walks (
    walk_id String, place UInt32, row String COMMENT 'as JSON', begun_at DateTime('UTC') DEFAULT now('UTC')
) ENGINE = MergeTree
ORDER BY (walk_id, place)
TTL begun_at + INTERVAL 1 DAY;
