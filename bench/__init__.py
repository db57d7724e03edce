"""The benchmark: our server, a peer and the floor, compared in one run.

Absolute figures depend on the machine. So the goals are ratios within one run, and the main figure
is the CPU time of a web process per request. `python -m bench --help` lists the words.
"""
