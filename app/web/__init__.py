"""The web edge: guests' pages, Apple's PassKit web service, the till API, operators' probes.

Opens transactions, parses and checks what comes in, calls the rooms below, turns errors into answers.
"""
