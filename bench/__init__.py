"""One harness: ours, a peer and the floor side by side in one run.

Absolute figures drift with the machine, so the goals are ratios within one run, and the main figure
is the CPU time of a web process per request. `python -m bench --help` lists the words.
"""
