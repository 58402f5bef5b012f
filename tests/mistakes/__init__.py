"""Command lines that must end in one plain sentence, with nothing lost and nothing executed."""
