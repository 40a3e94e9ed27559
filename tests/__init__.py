"""The tests: tests/<room>/ mirrors app/, tests/flows/ tells the stories, tests/house/ keeps the rules."""
