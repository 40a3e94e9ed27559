"""Is everything in order, and if not, what to do: the looks that the command line and the console share.

Every look is one function that ends in findings and changes nothing. What it needs it opens itself, from the
settings; what cannot be reached hides what lies behind it.
"""
