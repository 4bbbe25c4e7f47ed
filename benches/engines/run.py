"""Runs other engines beside tidings: `python3 benches/engines/run.py --help`.

Starts the harness in this folder with a Python of its own under target/engines, which has a Kafka client.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from bench import install  # noqa: E402  (the folder has to be known first)

os.environ["PYTHONPATH"] = HERE
# The harness and the processes it starts, and none of its compiled files among the sources.
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
python = install.harness()
os.execv(python, [python, "-m", "bench", *sys.argv[1:]])
