"""The card: designs, content, pass.json, signing, the .pkpass, registrations, update tags, evidence.

May touch places, accounts, delivery and the ground; never asks loyalty: loyalty pushes content down with
``revise``. Building and signing are pure functions without a database; SQL lives in the ``store`` modules.
"""
