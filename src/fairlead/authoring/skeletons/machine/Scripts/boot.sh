#!/bin/sh
# Runs once, as root, at the first start of each machine.
echo "${greeting} from $(hostname)" >/etc/motd
