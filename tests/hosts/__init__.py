"""Several hosts on this machine: what happens when one of them, or a line between them, is lost."""
