"""Evaluation of candidates on suites under a protocol: scores, statistics, gates and selection."""
