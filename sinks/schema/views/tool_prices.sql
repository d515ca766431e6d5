-- The prices of web searches and code execution, in force from an hour on. ASOF JOIN needs a column that is equal, and
-- tools have no key: `tools` is that column.
CREATE OR REPLACE VIEW tool_prices AS
SELECT *, 1 AS tools FROM prices WHERE model = '';
