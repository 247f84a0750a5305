"""What the devcloud's guests run at their start: one tells something over HTTP, another fetches it and says so."""

from __future__ import annotations

__all__ = ["fetching", "telling"]


def telling(answer: str) -> str:
    """User data of a guest that answers with this."""
    return f"""\
#!/bin/sh
echo {answer} >/www/index.html
"""


def fetching(address: str, answer: str) -> str:
    """User data of a guest that fetches from there until it gets this answer, at most 90 times, and then says `FETCHED` with
    it on its console."""
    return f"""\
#!/bin/sh
tries=0
while [ $tries -lt 90 ]; do
    if answer=$(timeout 3 wget -q -O - http://{address}/) && [ "$answer" = {answer} ]; then
        echo "FETCHED $answer" >/dev/console
        exit 0
    fi
    tries=$((tries + 1))
    sleep 1
done
exit 1
"""
