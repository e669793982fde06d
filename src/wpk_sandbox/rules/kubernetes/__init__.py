"""What Kubernetes itself says: the fields of its objects in each release, and the APIs that it has given up."""
