-- Records that retention removed before they were folded, and that the operator accepted as lost (`tally positions
-- accept`): offsets [from_offset, to_offset) of a source are in no table.
CREATE TABLE IF NOT EXISTS accepted_losses (
    source String, from_offset UInt64, to_offset UInt64, accepted_at DateTime64(3, 'UTC')
) ENGINE = MergeTree
ORDER BY (source, from_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
