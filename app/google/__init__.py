"""Google Wallet, the party: credentials, calls and their answers, save links, callbacks.

A protocol room: it knows no table, no brand and no other room; bodies of classes and objects come from above.
Nothing here repeats by itself what may have been done: whether that is safe is decided by who keeps the
promise. ``[D]`` in its sources is Google's discovery document, revision 20260806.
"""
