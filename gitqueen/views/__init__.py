"""Faces: a report in, text out. No reading, no deciding; TTY or plain is chosen once, outside."""
