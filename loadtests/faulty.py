"""An origin that can be made faulty at a moment, and that counts whom the fault met.

    python loadtests/faulty.py v2 9002 9003

Its version, its port, and the port that takes orders; the orders and their answers are in `rig/faulty.py`.
"""

import sys

import uvloop
from rig.faulty import serve

if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
