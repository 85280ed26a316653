"""gitqueen: AI coding sessions on one machine know of each other, inside git."""

__version__ = "0.1.0"
