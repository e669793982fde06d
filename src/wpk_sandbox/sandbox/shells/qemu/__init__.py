"""A shell in a virtual machine of its own: QEMU with a Linux kernel, and the container image as its file system."""
