"""What is offered to guests, to whom, and what it earned.

Stands on loyalty (whom there is to speak to) and the card (through which they are spoken to); reports and
edges stand on it. Takes the open transaction, never commits, and asks no report.
"""
