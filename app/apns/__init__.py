"""APNs: an HTTP/2 client for empty Wallet pushes, and Apple's answers as values.

Could be published alone: knows HTTP/2 and Apple, and no database, queue, log or metric.
"""
