"""Text messages: gateways behind one port, what a text costs, what their answers and receipts mean.

A protocol room: it knows no table, no brand and no other room. Adapters are asynchronous, belong to one event
loop, and never send by themselves a second time: whether that is safe is decided by who keeps the promise.
"""
