"""Reports: SELECT over any table, no verbs.

May read whatever lies below (loyalty, passes, delivery, places, accounts); changes nothing, and nothing
below asks it.
"""
