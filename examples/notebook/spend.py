# %% [markdown]
# # A spend report in pandas and DuckDB
#
# Money stays decimal from the file to the last line: read as a float, 0.1 + 0.2 is not 0.3, and a total no longer
# equals the one in the manifest next to the report.

# %%
import json
import os
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

REPORT = Path(os.environ.get("REPORT", "spend.csv"))
MONEY = ["total_net_spend_usd", "total_gross_spend_usd"]
COUNTS = ["total_requests", "total_prompt_tokens", "total_completion_tokens"]


def money(amount: Decimal) -> str:
    """The amount with all of its digits: `round` and `normalize` would cut those past the 28th."""
    text = f"{amount:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} USD"


# %% [markdown]
# ## pandas
#
# Every column is read as text, and then money becomes `decimal128`, which pandas adds up without rounding. A row
# without a known price has an empty amount, which stays missing.

# %%
exact = pd.ArrowDtype(pa.decimal128(38, 24))
rows = pd.read_csv(REPORT, dtype="string[pyarrow]", keep_default_na=False, na_values={name: [""] for name in MONEY})
rows = rows.astype(dict.fromkeys(MONEY, exact) | dict.fromkeys(COUNTS, "int64[pyarrow]"))
rows["date"] = pd.to_datetime(rows["date"])

by_model = rows.groupby("model")[[*COUNTS, *MONEY]].sum()
for model, row in by_model.sort_values("total_net_spend_usd", ascending=False).iterrows():
    print(f"{model or 'no model':28} {row['total_requests']:6} requests {money(row['total_net_spend_usd'])}")

# %% [markdown]
# ## DuckDB
#
# The same file in SQL. Without `types` DuckDB would guess DOUBLE for money.

# %%
report = duckdb.connect()
report.execute(
    """
    CREATE TABLE report AS FROM read_csv(
        ?, types = {'total_net_spend_usd': 'DECIMAL(38, 24)', 'total_gross_spend_usd': 'DECIMAL(38, 24)'}
    )
    """,
    [str(REPORT)],
)
by_person = report.execute(
    """
    SELECT ifnull(user_email, 'no person'), count(DISTINCT date), ifnull(sum(total_net_spend_usd), 0) AS net
    FROM report GROUP BY user_email ORDER BY net DESC, user_email
    """
).fetchall()
for email, days, net in by_person:
    print(f"{email:28} {days:6} days     {money(net)}")

# %% [markdown]
# ## Does it add up?
#
# The manifest has the totals that Tally wrote. Both libraries must arrive at them, to the last digit. A model without a
# known price is in neither.

# %%
expected = Decimal(json.loads(Path(f"{REPORT}.manifest.json").read_text())["totals"]["priced_net_spend_usd"])
(in_duckdb,) = report.execute("SELECT sum(total_net_spend_usd) FROM report").fetchall()[0]
totals = {"pandas": rows["total_net_spend_usd"].sum(), "DuckDB": in_duckdb}
for library, found in totals.items():
    assert found == expected, f"{library} adds up to {found}, the manifest says {expected}"
for model in sorted(rows.loc[rows["total_net_spend_usd"].isna(), "model"].unique()):
    print(f"{model or 'no model':28} has no known price and is in no amount")
print(f"both add up to the manifest's {money(expected)}")
