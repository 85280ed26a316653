"""Facts and rules: what a sister, a claim or a conflict is, and what follows from it.

Standard library only; no file, no database, no process, no clock: `now` is a parameter.
"""
