"""Tests mirror the rooms. A package only so that `tests.hive` and `tests.seal` can be imported by name."""
