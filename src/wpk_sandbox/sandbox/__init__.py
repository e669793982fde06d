"""Where it happens: shells that run commands, clusters that answer Kubernetes calls."""
