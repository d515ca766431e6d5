"""schemathesis against the live API, from the API's own OpenAPI document.

`make fuzz CASES=20000` runs the long form; `tests/api/test_fuzz.py` is the short one.
"""
