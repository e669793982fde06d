"""What answers in place of the outside: mocks of HTTP and HTTPS hosts, and relays to the hosts that are allowed."""
