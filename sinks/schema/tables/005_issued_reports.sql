-- Issued spend reports: one row for every revision that was ever issued, never changed. Its file is kept as long.
CREATE TABLE IF NOT EXISTS issued_reports (
    organization_id UUID, day Date, revision UInt32,
    file_name String COMMENT 'relative to the folder of reports',
    sha256 String COMMENT 'of the file', facts_sha256 String COMMENT 'of the rows without e-mails, in any order',
    rows UInt64, issued_at DateTime64(3, 'UTC'), data_refreshed_at DateTime64(3, 'UTC'),
    next_offsets Map(String, UInt64) COMMENT 'source_positions as read before the cells: all below is in the report',
    prices_revision UInt32, terms_sha256 String COMMENT 'of the history of plan, discount and extra usage',
    total_requests UInt64, total_prompt_tokens UInt64, total_completion_tokens UInt64,
    total_net_spend_usd Nullable(Decimal(76, 24)), total_gross_spend_usd Nullable(Decimal(38, 18)),
    unpriced_models Array(String), changes String COMMENT 'JSON: why this revision, and what differs from the one before'
) ENGINE = ReplacingMergeTree
ORDER BY (organization_id, day, revision)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The state with which each day's report was last compared, so that an unchanged day costs nothing.
CREATE TABLE IF NOT EXISTS report_checks (
    organization_id UUID, day Date, sources Array(String), next_offsets Map(String, UInt64),
    prices_revision UInt32, terms_sha256 String, checked_at DateTime64(6, 'UTC')
) ENGINE = ReplacingMergeTree(checked_at)
ORDER BY (organization_id, day)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
