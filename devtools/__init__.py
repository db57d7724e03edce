"""The words of `portal.py`: the demo, the tests and the checks, with the servers that they need.

Standard library only: `reset` runs without an environment, and a wrong command line is refused
before anything is installed.
"""
