"""Pictures of every page, for people to look at: ``python -m tests.screens`` draws them into docs/screens."""
