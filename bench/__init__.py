"""Benchmarks: ratios taken in one run, with CPU per operation beside them."""
