"""The ClickHouse settings on which Tally's queries, exports and inserts depend.

They are sent with each request, with ClickHouse's own defaults unless the code below differs, so that the user
profile of an external ClickHouse cannot change a number. Reaching a limit must be an error, because a truncated result
is not a result. The resources of a query (memory, threads, time, rows read) are left to the operator.
"""

from collections.abc import Mapping

Setting = int | str

WHOLE: Mapping[str, Setting] = {
    "max_result_rows": 0,
    "max_result_bytes": 0,
    "limit": 0,
    "offset": 0,
    "extremes": 0,
    "partial_result_on_first_cancel": 0,
    "skip_unavailable_shards": 0,
    **{
        f"{what}_overflow_mode": "throw"
        for what in ("result", "read", "group_by", "sort", "set", "join", "distinct", "transfer", "timeout")
    },
    "read_overflow_mode_leaf": "throw",
    "timeout_overflow_mode_leaf": "throw",
}
"""A result is complete, or an error."""

MEANING: Mapping[str, Setting] = {
    "compatibility": "",
    "enable_analyzer": 1,
    "session_timezone": "UTC",  # no text or function depends on the server's time zone
    "aggregate_functions_null_for_empty": 0,
    "empty_result_for_aggregation_by_empty_set": 0,
    "empty_result_for_aggregation_by_constant_keys_on_empty_set": 1,
    "prefer_column_name_to_alias": 0,
    "join_use_nulls": 0,
    "group_by_use_nulls": 0,
    "transform_null_in": 0,
    "cast_keep_nullable": 0,
    "data_type_default_nullable": 0,
    "least_greatest_legacy_null_behavior": 0,
    "union_default_mode": "",
    "join_default_strictness": "ALL",
    "any_join_distinct_right_table_keys": 0,
    "totals_mode": "after_having_exclusive",
    "enable_global_with_statement": 1,
    "enable_positional_arguments": 1,
    "enable_unaligned_array_join": 0,
    "asterisk_include_materialized_columns": 0,
    "asterisk_include_alias_columns": 0,
    "asterisk_include_virtual_columns": 0,
    "count_distinct_implementation": "uniqExact",
    "decimal_check_overflow": 1,
    "date_time_overflow_behavior": "ignore",
    "final": 0,
    "additional_result_filter": "",
    "additional_table_filters": "{}",
    "apply_deleted_mask": 1,
    "use_query_cache": 0,
}
"""The meaning of an SQL file is fixed."""

WRITTEN: Mapping[str, Setting] = {
    "date_time_output_format": "simple",
    "date_time_input_format": "best_effort",
    "cast_string_to_date_time_mode": "best_effort",
    "bool_true_representation": "true",
    "bool_false_representation": "false",
    "output_format_decimal_trailing_zeros": 0,
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_decimals": 0,
    "output_format_json_quote_denormals": 0,
    "output_format_tsv_crlf_end_of_line": 0,
    "format_tsv_null_representation": "\\N",
    "output_format_native_encode_types_in_binary_format": 0,
    "low_cardinality_allow_in_native_format": 1,
}
"""Values in text and in columns have the format that their readers expect."""

INSERTED: Mapping[str, Setting] = {
    "async_insert": 0,  # confirmed means written: positions depend on it
    "wait_for_async_insert": 1,
    "insert_deduplicate": 0,  # when the same rows are written again, they are newer than rows dropped in the meantime
    "optimize_on_insert": 1,
    "input_format_allow_errors_num": 0,
    "input_format_allow_errors_ratio": 0,
    "input_format_null_as_default": 1,
    "input_format_defaults_for_omitted_fields": 1,
    "insert_null_as_default": 1,
    "throw_on_max_partitions_per_insert_block": 1,
    "materialized_views_ignore_errors": 0,
}
"""Confirmed rows are in the table, every one of them."""

RELIED_ON: Mapping[str, Setting] = {**WHOLE, **MEANING, **WRITTEN, **INSERTED}
"""All of them; sinks/client.py sends them."""
