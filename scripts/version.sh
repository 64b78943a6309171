#!/bin/sh
# version.sh - print build/gen/version.h: what `version` says at the console.
cd "$(dirname "$0")/.."
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
cat <<END
#define SOCLE_VERSION "0.1"
#define SOCLE_COMMIT "$commit"
END
