"""
Imported at the start of every Python program that a rehearsal runs: its pauses last a second at most.

Zappa asks for the state of a function every 5 seconds, and for that of a stack every 3 or 30. At the
emulator a state changes when it is asked for, not with time (tests/support/strict/delays.py).
"""

import time

sleep = time.sleep
time.sleep = lambda seconds: sleep(min(float(seconds), 1.0))
