"""The harness that runs other engines beside tidings: see docs/peers.md."""
