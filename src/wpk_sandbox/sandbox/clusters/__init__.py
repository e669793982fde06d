"""The clusters: one file for each thing that answers the Kubernetes API."""
