"""Perkpass: loyalty cards in Apple Wallet and Google Wallet, kept live.

The floors of the house, and who may import whom, are drawn in docs/architecture.md.
"""

__version__ = "0.1.0"
