"""People: brands, their staff members, point-of-sale keys, and the audit log.

May touch the ground floor only. A brand's certificate and private key are never in the database: a brand
names where they lie (``credentials``), and the edge that signs loads them from there.
"""
