"""Loyalty: programmes, members, enrolment, consent, receipts, the ledger, tiers and stamps.

May touch passes and everything below. Facts flow down: after a change of balance or tier it hands the new
content to ``passes.revise`` in the same transaction.
"""
