"""What bodies may take. Without imports: who watches over the web processes needs a number too."""

MOST_BODY = 64 * 1024
"""Of a body, in bytes. No more is read; whoever gets the request sees that it is too large."""

MOST_UPLOAD = 8 * 1024 * 1024
"""Of a body that somebody sends who signed in to the console: pictures, a design's zip, a certificate."""

MOST_FILE = 7 * 1024 * 1024
"""Of one file in such a body, in bytes: the rest is left to what is typed around it."""

WAITING_THREADS = 32
"""Per web process, for the server's settings; they are made when they are needed."""

MOST_WAITING = 8
"""Unfinished bodies of one address: a venue's guests share theirs."""

MOST_WAITING_ALL = 24
"""Unfinished bodies of all addresses: the other threads are left to requests that have none."""
