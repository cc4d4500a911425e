#!/bin/sh
# Fills a tmpfs of one MiB (or of $1) by imports and looks at what is left: cargo xtask full-disk.
# Mounting needs root; the mount is private to this script and ends with it.
set -eu
size=${1:-1m}
exec unshare --mount sh -eu -c '
    folder=$(mktemp -d)
    mount -t tmpfs -o size='"$size"' tmpfs "$folder"
    status=0
    cargo xtask full-disk "$folder" || status=$?
    umount "$folder"
    rmdir "$folder"
    exit $status
'
