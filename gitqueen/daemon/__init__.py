"""The clock: a tick that has the services look around; one instance a home."""
