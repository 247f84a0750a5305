#!/bin/sh
# What a guest runs before its own programs: writes the file and the routes that a container would be given.
set -eu
mkdir -p "$(dirname PATH)" /etc/fairlead
echo 'ROUTES="${routes}"' >/etc/fairlead/environment
cat >PATH <<'END'
CONTENT
END
