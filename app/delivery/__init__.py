"""The promise table: what we owe to phones, and what came of each try.

A ``delivery`` is a promise, written in the transaction that caused it; an ``attempt`` is a fact. The room
knows no outside party and no pass: it is given device ids and told verdicts. States and their edges are
drawn in docs/delivery-states.md and enforced by the database.
"""
