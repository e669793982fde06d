"""What the author wrote: WPK files, found, read and understood."""
