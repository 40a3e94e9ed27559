"""The worker edge: carries promises out in three beats (prepare, send, settle) and does periodic work.

No database connection is held while the network is awaited.
"""
