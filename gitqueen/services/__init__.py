"""Doings: one use case a module, each a plan and then its performance."""
