#!/usr/bin/env python
"""Django's command line. Beside a running demo it finds the servers through var/env."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codabox_portal.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
