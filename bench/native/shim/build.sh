#!/bin/sh
# Builds the flush shim when its source is newer than the library, and prints the library's path.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
source=$here/slowsync.c
library=$here/../target/slowsync.so
if [ ! -e "$library" ] || [ "$source" -nt "$library" ]; then
    mkdir -p "$here/../target"
    # Written beside and renamed: a process that has the old library mapped must not see it change.
    "${CC:-gcc}" -O2 -Wall -Wextra -Werror -shared -fPIC -o "$library.$$" "$source" -ldl
    mv "$library.$$" "$library"
fi
cd "$here/../target" && echo "$(pwd)/slowsync.so"
