"""Permissions of the embedded engine: its settings, and the grants of the user as which all statements run.

The grants list what is allowed: tables, views and their rows, and nothing that reaches a file, a program or another
machine. The engine itself therefore refuses `file`, `url`, `s3`, `remote`, `executable` and whatever a later release
adds, as table functions, as engines of tables and databases, and in dictionaries and backups.
"""

from pathlib import Path

from files.atomic_files import write_text

_CONFIG = """\
<clickhouse>
    <max_server_memory_usage>{memory}</max_server_memory_usage>
    <max_server_memory_usage_to_ram_ratio>0.4</max_server_memory_usage_to_ram_ratio>
    <logger>
        <level>warning</level><log>{path}/engine.log</log><size>10M</size><count>2</count>
        <levels>
            <logger><name>BackgroundSchedulePool/BgSchPool</name><level>error</level></logger>
            <logger><name>BackgroundSchedulePool/BgStrmSchPool</name><level>error</level></logger>
        </levels>
    </logger>
    <users_config>{path}/tally-users.xml</users_config>
    <access_control_improvements>
        <table_engines_require_grant>true</table_engines_require_grant>
    </access_control_improvements>
</clickhouse>
"""
_USERS = """\
<clickhouse>
    <users>
        <default>
            <password></password>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <grants>
{grants}
            </grants>
        </default>
    </users>
    <profiles><default><constraints>
{constraints}
    </constraints></default></profiles>
    <quotas><default></default></quotas>
</clickhouse>
"""
_PRIVILEGES = (
    "SHOW", "SELECT", "INSERT", "CHECK", "OPTIMIZE", "TRUNCATE", "KILL QUERY",
    "CREATE DATABASE", "CREATE TABLE", "CREATE VIEW", "DROP DATABASE", "DROP TABLE", "DROP VIEW",
    "ALTER UPDATE", "ALTER DELETE", "ALTER COLUMN", "ALTER INDEX", "ALTER PROJECTION", "ALTER CONSTRAINT",
    "ALTER TTL", "ALTER MATERIALIZE TTL", "ALTER ORDER BY", "ALTER SETTINGS", "ALTER VIEW",
    "SYSTEM MERGES", "SYSTEM TTL MERGES",
)  # fmt: skip
_ENGINES = (
    "MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree", "CollapsingMergeTree",
    "VersionedCollapsingMergeTree", "MaterializedView", "View", "Memory", "Null", "Atomic",
)  # fmt: skip
# Settings that name files, other disks or another language, or contain an expression that is not checked elsewhere.
_FIXED_SETTINGS = (
    "dialect", "format_schema", "format_schema_source", "format_template_row", "format_template_resultset",
    "additional_table_filters", "additional_result_filter", "parallel_replicas_custom_key",
    "allow_experimental_eval_table_function", "merge_tree_disk", "merge_tree_storage_policy",
)  # fmt: skip


def write_config(path: Path, memory: int) -> Path:
    """Write the engine's configuration to its data folder and return the file with which to start it.

    `memory` is the engine's limit in bytes; 0 is 40 % of the machine's.
    """
    grants = [f"GRANT {privilege} ON *.*" for privilege in _PRIVILEGES]
    grants += [f"GRANT TABLE ENGINE ON {engine}" for engine in _ENGINES]
    users = _USERS.format(
        grants="\n".join(f"<query>{grant}</query>" for grant in grants),
        constraints="\n".join(f"<{name}><readonly/></{name}>" for name in _FIXED_SETTINGS),
    )
    write_text(path / "tally-users.xml", users)
    config = path / "tally-engine.xml"
    write_text(config, _CONFIG.format(memory=memory, path=path))
    return config
