"""The examples in the documents, which the tests run."""

import re


def code_blocks(page: str, language: str) -> list[str]:
    """The code blocks of a language in the text of a page."""
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
