"""The command line, a click command or group a file; ``app/__main__.py`` names them all.

Like every edge it opens transactions; unlike the others it ends when it has answered.
"""
