"""Stand-ins for the outside world that speak its real protocols on loopback.

They share no code with the service, so that a shared misreading cannot hide.
"""
