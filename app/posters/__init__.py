"""Posters: what hangs on the wall and stands on the table, drawn as vectors.

Knows no database: a :class:`app.posters.poster.Poster` goes in, PDF or SVG comes out.
"""
