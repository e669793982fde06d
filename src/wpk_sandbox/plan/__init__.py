"""What we intend to do: each step's target, fidelity and reason, before anything runs."""
