"""What runs inside: each attempt is a function that tries one thing, and says what came of it."""
