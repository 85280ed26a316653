"""Memory: the queen's database, and the only SQL of the house."""
