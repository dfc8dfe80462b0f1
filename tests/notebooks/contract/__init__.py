"""The notebook contract: what every notebook keeps to, as functions that return its violations."""

from tests.notebooks.contract import code, opening, stored, text  # noqa: F401  (each registers its rules)
from tests.notebooks.contract.book import RULES, Book, read, violations

__all__ = ["RULES", "Book", "read", "violations"]
