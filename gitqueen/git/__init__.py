"""The repository: the only room that runs git or imports pygit2."""
