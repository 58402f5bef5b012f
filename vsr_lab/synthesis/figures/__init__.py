"""Figures of drawn animation: people and creatures."""
