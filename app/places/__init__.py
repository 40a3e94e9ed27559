"""Places: venues, placements, install links, and visits with their funnel events.

May touch accounts and the ground. Counters are derived from events, never stored first.
"""
