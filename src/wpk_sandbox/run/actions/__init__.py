"""What each action does; `table.py` lists them all."""
