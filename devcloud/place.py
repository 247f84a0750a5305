"""Where the cloud keeps its things, and what it is called: one machine, loopback only, one password."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATE = Path("/var/lib/devcloud")
LOGS = Path("/var/log/devcloud")
RUN = Path("/run/devcloud")
OUT = Path(os.environ.get("DEVCLOUD_OUT", STATE))
"""Where `openrc` and `clouds.yaml` are written."""
GUEST = Path(os.environ.get("DEVCLOUD_GUEST", STATE / "guest"))
"""Where the guest's image is built, or found."""

PASSWORD = "devcloud"
"""Everybody's, for nobody but this machine can reach the cloud."""
REGION = "RegionOne"
HOST = "devcloud"
FAKES = [f"fake{number + 1}" for number in range(int(os.environ.get("DEVCLOUD_FAKES", "2")))]
"""Hosts of Nova's fake driver."""
IDENTITY = "http://127.0.0.1:5000"
