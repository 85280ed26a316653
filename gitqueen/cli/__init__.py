"""Doors: click parses, calls one service, picks a view; `hook.py` is the lean door without click."""
