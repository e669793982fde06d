"""Shell commands, parsed: what they run, whatever quotes, wrappers and interpreters stand around it."""
